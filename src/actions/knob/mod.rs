//! Help that actions share, from reading the target to undoing the write.
//!
//! [`setting`] turns "which steps" into a whole action; [`steps`] writes and undoes them; [`protect`] says what must not be
//! touched; [`threads`], [`cgroups`] and [`network`] find targets; [`refuse`] and [`shell`] put it in words; [`rivals`] and [`trial`] are the
//! pure half, for `propose`.

pub mod cgroups;
pub mod network;
pub mod protect;
pub mod refuse;
pub mod rivals;
pub mod setting;
pub mod shell;
pub mod steps;
pub mod threads;
pub mod trial;
