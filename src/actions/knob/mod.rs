//! Help that actions share, from reading the target to undoing the write.
//!
//! [`setting`] turns "which steps" into a whole action; [`steps`] writes and undoes them; [`protect`] says what must not be
//! touched, [`owner`] who else sets a knob; [`units`] goes through systemd where a cgroup is a unit's; [`threads`], [`cgroups`] and
//! [`network`] find targets; [`refuse`] and [`shell`] put it in words; [`rivals`] and [`trial`] are the pure half, for `propose`.

pub mod cgroups;
pub mod network;
pub mod owner;
pub mod protect;
pub mod refuse;
pub mod rivals;
pub mod setting;
pub mod shell;
pub mod steps;
pub mod threads;
pub mod trial;
mod tuned;
pub mod units;
