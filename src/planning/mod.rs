//! Pure thought about what to do: [ranking](rank) of proposals, what past changes [taught](memory) and [did](experience), what is
//! believed of actions since ([learning]), the [bounds](policy) on acting the [rules] of operators and the host's quiet [hours](week).

pub mod experience;
pub mod lasting;
pub mod learning;
pub mod memory;
pub mod policy;
pub mod rank;
pub mod rules;
pub mod week;
pub mod wish;
