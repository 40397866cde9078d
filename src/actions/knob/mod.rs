//! Help that actions share, from reading the target to undoing the write.
//!
//! [`setting`] turns "which steps" into a whole action; [`steps`] writes and undoes them; [`protect`] says what must not be
//! touched, [`owner`] and [`tuners`] who else sets a knob; [`units`] goes through systemd where a cgroup is a unit's; [`threads`],
//! [`cgroups`] and [`network`] find targets, [`sysctl`] is the simplest of them; [`refuse`] and [`shell`] put it in words; [`rivals`],
//! [`growers`] and [`trial`] are the pure half, for `propose`. What has no way back is a [`trigger`].

pub mod cgroups;
pub mod growers;
pub mod network;
pub mod owner;
pub mod protect;
pub mod refuse;
pub mod rivals;
pub mod setting;
pub mod shell;
pub mod steps;
pub mod sysctl;
pub mod threads;
pub mod trial;
pub mod trigger;
mod tuned;
pub mod tuners;
pub mod units;
