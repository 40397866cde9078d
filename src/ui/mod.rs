//! The console's screen, as a function of state: [`update::update`] takes a message, [`draw::draw`] draws the state.
//! It knows no engine, no terminal and no clock; it meets the engine only in [`crate::model::message`].

pub mod act;
pub mod alerts;
pub mod arrangement;
pub mod basis;
pub mod canvas;
pub mod chart;
pub mod close_look;
pub mod copy;
pub mod dialog;
pub mod draw;
pub mod entry;
pub mod filter;
pub mod frame;
pub mod fuzzy;
pub mod history;
pub mod key;
pub mod keymap;
pub mod keys;
pub mod layout;
pub mod motion;
pub mod palette;
pub mod pane;
pub mod panels;
pub mod pointer;
pub mod processes;
pub mod sheet;
pub mod spots;
pub mod state;
pub mod theme;
pub mod time;
pub mod update;
pub mod wish;
pub mod words;
