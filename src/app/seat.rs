//! Where a console sits: the same channels whether the engine is in this process or behind a socket.

use crate::model::message::{Ask, Body, View, Welcome};
use std::sync::Arc;
use tokio::sync::{mpsc, oneshot, watch};

/// News of the connection to an engine.
#[derive(Debug)]
pub enum News {
    /// It is lost, and why it could not be had again.
    Lost(String),
    /// It is there again, maybe to another engine.
    Back(Box<Welcome>),
}

/// What a console holds of its engine.
#[derive(Debug)]
pub struct Seat {
    /// The first view, with history.
    pub welcome: Welcome,
    /// The newest view. It closes when the engine has ended or the connection is lost.
    pub views: watch::Receiver<Arc<View>>,
    /// Questions ([`Ask::Do`], [`Ask::Audit`]) with the way back for the answer.
    pub asks: mpsc::Sender<(Ask, oneshot::Sender<Body>)>,
    /// News of a connection that comes back by itself.
    pub news: Option<mpsc::Receiver<News>>,
    /// True when the engine is in this process and ends with the console.
    pub own: bool,
    /// The engine plays a history.
    pub replay: bool,
}
