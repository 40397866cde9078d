//! Pure thought about what to do: [ranking](rank) of proposals, what past changes [taught](memory) and [did](experience), what is
//! believed of actions since ([learning]), and the [bounds](policy) on acting.

pub mod experience;
pub mod learning;
pub mod memory;
pub mod policy;
pub mod rank;
pub mod wish;
