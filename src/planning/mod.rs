//! Pure thought about what to do: [ranking](rank) of proposals, what past changes [taught](memory) and [did](experience), and the
//! [bounds](policy) on acting.

pub mod experience;
pub mod lasting;
pub mod memory;
pub mod policy;
pub mod rank;
pub mod wish;
