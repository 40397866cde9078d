//! The console: a [`Seat`] at an engine, a terminal, and the state between them.
//!
//! One loop waits for whichever comes first: a key, a view, an answer, a signal, a moment at which the screen changes by itself. It
//! draws only when something came, as often as the line takes frames (see `rate.rs`), and never while the frame before is still on its way.

pub mod clipboard;
pub mod depth;
pub mod kept;
pub mod keyboard;
pub mod kind;
pub mod look;
pub mod paint;
pub mod rate;
pub mod screen;
pub mod terminal;

use crate::{
    app::{
        console::{
            kept::{Chosen, Kept},
            keyboard::{Input, Mouse},
            kind::{Kind, Says},
            look::look,
            rate::FrameRate,
            screen::Screen,
            terminal::{Terminal, Writer},
        },
        seat::{News, Seat},
        signals::Signals,
    },
    config::sections::Keys,
    host::host::Host,
    model::{
        message::{Ask, Body, View},
        time::Tick,
    },
    ui::{
        keymap::Keymap,
        keys::Motion,
        panels::log as log_pane,
        state::{Msg, State, UiCommand},
        update::update,
    },
};
use std::{io, path::PathBuf, sync::Arc, time::Duration};
use tokio::{
    signal::unix::{SignalKind, signal},
    sync::{mpsc, oneshot, watch},
    time::sleep,
};

/// How the console looks, and the clock.
pub struct ConsoleOptions {
    /// The file that keeps what is chosen on the screen, if there is a place for it.
    pub kept: Option<PathBuf>,
    /// Asked for the time only.
    pub host: Arc<dyn Host>,
    /// Name of a built-in theme, `default`, or the path of a theme file (`.ron`).
    pub theme: String,
    /// Name of a built-in layout, `default`, or the path of a layout file (`.ron`).
    pub layout: String,
    /// ASCII alone.
    pub ascii: bool,
    /// Charts go on into what is coming.
    pub forecasts: bool,
    /// The operator's own keys.
    pub keys: Keys,
    /// What the environment says of the terminal.
    pub says: Says,
    /// The mouse is ours from the beginning.
    pub mouse: bool,
    /// `$NO_COLOR`: the mono theme, whatever was asked for.
    pub no_color: bool,
}

/// What ended a console.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ended {
    /// The operator.
    Quit,
    /// SIGTERM, SIGINT or SIGHUP.
    Signal,
    /// The terminal is gone.
    Terminal,
}

/// Starts to keep what is logged for the console's log pane, instead of printing it.
pub fn keep_log() {
    log_pane::start();
}

/// Runs a console until something ends it. The terminal is then as it was.
pub async fn run(seat: Seat, options: ConsoleOptions) -> Result<Ended, String> {
    keep_log();
    let kind = Kind::of(&options.says)?;
    let kept = Kept::open(options.kept.clone());
    let look = look(&options, kind, kept.chosen())?;
    let began = (look.chosen, look.layout);
    let failed = |e: io::Error| format!("terminal: {e}");
    let mut state = State::begin(&seat.welcome, look, seat.own);
    state.travel.replay = seat.replay;
    state.foresight.hidden = !options.forecasts;
    state.processes.choose(kept.chosen().processes.clone());
    state.keymap = Keymap::new(&options.keys);
    let mut ends = Signals::catch().map_err(|e| e.why)?;
    let mut resized = signal(SignalKind::window_change()).map_err(failed)?;
    let mut stops = signal(SignalKind::from_raw(libc::SIGTSTP)).map_err(failed)?;
    let terminal = Terminal::take().map_err(failed)?;
    let mut writer = Writer::start().map_err(failed)?;
    let mut inputs = terminal::read().map_err(failed)?;
    let (answers, mut answered) = mpsc::channel(16);
    let mut console = Console {
        says: options.says,
        host: options.host,
        kept,
        began,
        state,
        screen: Screen::default(),
        spare: Some(Vec::with_capacity(1 << 16)),
        dirty: true,
        last: Tick(0),
        rate: FrameRate::default(),
        asks: seat.asks,
        answers,
    };
    let mut views = Some(seat.views);
    let mut news = seat.news;
    if options.mouse {
        console.state.mouse = true;
        console.carry_out(UiCommand::Mouse(true));
    }
    console.resize();
    loop {
        if !console.paint(&writer) {
            return Ok(Ended::Terminal);
        }
        let wait = console.wait();
        let commands = tokio::select! {
            biased;
            name = ends.next() => {
                log::info!("ended by {name}");
                return Ok(Ended::Signal);
            }
            _ = stops.recv() => {
                pause(&terminal).map_err(failed)?;
                console.resize()
            }
            _ = resized.recv() => console.resize(),
            written = writer.written.recv() => match written {
                Some(spare) => { console.written(spare); continue }
                None => return Ok(Ended::Terminal),
            },
            input = inputs.recv() => match input {
                Some(Input::Key(key)) => console.take(Msg::Key(key)),
                Some(Input::Paste(text)) => console.take(Msg::Paste(text)),
                Some(Input::Mouse(did, column, row)) => console.point(did, column, row),
                None => return Ok(Ended::Terminal),
            },
            body = answered.recv() => body.map(|body| console.take(Msg::Answer(body))).unwrap_or_default(),
            view = next(&mut views) => match view {
                Some(view) => console.take(Msg::View(view)),
                None => { views = None; console.take(Msg::Lost(None)) }
            },
            news = tidings(&mut news) => match news {
                News::Lost(why) => console.take(Msg::Lost(Some(why))),
                News::Back(welcome) => console.take(Msg::Back(welcome)),
            },
            () = sleep(wait.unwrap_or_default()), if wait.is_some() => console.take(Msg::Tick),
        };
        for command in commands {
            match command {
                UiCommand::Quit => return Ok(Ended::Quit),
                UiCommand::Drain => while inputs.try_recv().is_ok() {},
                other => console.carry_out(other),
            }
        }
    }
}

/// The newest view; `None` when there will be no more. Never, once that was said.
async fn next(views: &mut Option<watch::Receiver<Arc<View>>>) -> Option<Arc<View>> {
    match views {
        Some(views) => views.changed().await.ok().map(|()| views.borrow_and_update().clone()),
        None => std::future::pending().await,
    }
}

/// The next news of the connection; never, where it does not come back by itself.
async fn tidings(news: &mut Option<mpsc::Receiver<News>>) -> News {
    let heard = match news {
        Some(heard) => heard.recv().await,
        None => None,
    };
    match heard {
        Some(heard) => heard,
        None => std::future::pending().await,
    }
}

/// Gives the terminal back, stops as the signal wants, and takes it over again when the shell lets us go on.
fn pause(terminal: &Terminal) -> io::Result<()> {
    Terminal::restore();
    rustix::process::kill_process(rustix::process::getpid(), rustix::process::Signal::STOP)?;
    terminal.retake()
}

/// Everything that the loop holds besides its channels.
struct Console {
    /// What the environment says of the terminal.
    says: Says,
    host: Arc<dyn Host>,
    kept: Kept,
    /// Theme and layout that it began with.
    began: (usize, usize),
    state: State,
    screen: Screen,
    /// The buffer of frames; gone while the writer has it.
    spare: Option<Vec<u8>>,
    dirty: bool,
    /// When the last frame was made.
    last: Tick,
    rate: FrameRate,
    asks: mpsc::Sender<(Ask, oneshot::Sender<Body>)>,
    /// Holds 16; a full one makes an answer wait, nobody else.
    answers: mpsc::Sender<Body>,
}

impl Drop for Console {
    fn drop(&mut self) {
        let look = &self.state.look;
        let was = self.kept.chosen();
        // What was not chosen on the screen stays as the configuration has it.
        let name = |now: Option<&String>, moved: bool, was: &String| now.filter(|_| moved).unwrap_or(was).clone();
        let chosen = Chosen {
            processes: self.state.processes.choices.clone(),
            theme: name(look.themes.get(look.chosen).map(|theme| &theme.name), look.chosen != self.began.0, &was.theme),
            layout: name(look.layouts.get(look.layout).map(|layout| &layout.name), look.layout != self.began.1, &was.layout),
        };
        self.kept.keep(&chosen);
    }
}

impl Console {
    fn take(&mut self, msg: Msg) -> Vec<UiCommand> {
        self.dirty = true;
        update(&mut self.state, self.host.now(), msg)
    }

    /// What the mouse did, on what stands there by the last drawing.
    fn point(&mut self, did: Mouse, column: u16, row: u16) -> Vec<UiCommand> {
        let spots = &self.screen.spots;
        let msg = match did {
            Mouse::Press => spots.at(column, row).cloned().map(Msg::Click),
            Mouse::Up => Some(Msg::Wheel(spots.pane(column, row), Motion::Up)),
            Mouse::Down => Some(Msg::Wheel(spots.pane(column, row), Motion::Down)),
        };
        msg.map(|msg| self.take(msg)).unwrap_or_default()
    }

    fn resize(&mut self) -> Vec<UiCommand> {
        let (width, height) = terminal::size();
        self.take(Msg::Resize(width, height))
    }

    /// The terminal has taken the frame; its buffer is back.
    fn written(&mut self, spare: Vec<u8>) {
        self.spare = Some(spare);
        self.rate.written(self.host.now().tick.since(self.last));
        self.rate.spare(self.state.view.cost.pace.slow.is_some());
    }

    /// Draws if there is reason to, the last frame is written and long enough ago; false when the terminal is gone.
    fn paint(&mut self, writer: &Writer) -> bool {
        let now = self.host.now().tick;
        if !self.dirty || now.since(self.last) < self.rate.gap() {
            return true;
        }
        let Some(mut frame) = self.spare.take() else { return true };
        self.dirty = false;
        self.last = now;
        // Writing into memory cannot fail.
        let _never = self.screen.render(&self.state, &mut frame);
        if frame.is_empty() {
            self.spare = Some(frame);
            return true;
        }
        writer.write(frame)
    }

    /// How long to sleep if nothing comes: until the next frame may be drawn or the screen changes by itself.
    fn wait(&self) -> Option<Duration> {
        let now = self.host.now().tick;
        let frame = (self.dirty && self.spare.is_some()).then(|| self.rate.gap().saturating_sub(now.since(self.last)));
        let wake = self.state.wake().map(|at| at.since(now));
        frame.into_iter().chain(wake).min()
    }

    fn carry_out(&mut self, command: UiCommand) {
        match command {
            UiCommand::Ask(ask) => self.ask(ask),
            UiCommand::Redraw => self.screen.forget(),
            UiCommand::Copy(text) => self.screen.prefix(clipboard::sequence(&text, &self.says).as_bytes()),
            UiCommand::Mouse(ours) => self.screen.prefix(if ours { terminal::TAKE_MOUSE } else { terminal::FREE_MOUSE }),
            UiCommand::Drain | UiCommand::Quit => {}
        }
    }

    /// Asks the engine; the answer comes as a message.
    fn ask(&mut self, ask: Ask) {
        let (back, answer) = oneshot::channel();
        if self.asks.try_send((ask, back)).is_err() {
            self.take(Msg::Notice("the engine does not answer".into()));
            return;
        }
        let answers = self.answers.clone();
        tokio::spawn(async move {
            let body = answer.await.unwrap_or_else(|_| Body::Error("the engine has ended".into()));
            // When the console is gone, nobody wants the answer.
            let _gone = answers.send(body).await;
        });
    }
}
