//! Pure thought about what to do: [ranking](rank) of proposals, what past changes [taught](memory) and [did](experience), the
//! [bounds](policy) on acting and the [rules](rules) of operators.

pub mod experience;
pub mod memory;
pub mod policy;
pub mod rank;
pub mod rules;
pub mod wish;
