//! Telling somebody of alerts, and keeping them on disk. Each receiver has a thread of its own with a bounded queue, and so has the
//! file: however long any of them hangs, the loop goes on, and so do the others.

pub mod exec;
pub mod keeper;
pub mod notice;
pub mod notifier;
pub mod receiver;
pub mod webhook;
