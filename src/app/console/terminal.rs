//! The terminal: raw, on its alternate screen, and given back as it was found whatever ends the program.
//!
//! Reading and writing each have a thread, since both may wait for a terminal that stalls: the reader ends with the terminal, and while
//! the writer is busy no new frame is made, so that a slow link gets fewer frames instead of old ones.

use crate::app::console::keyboard::{Decoder, Input};
use crossterm::{
    cursor,
    event::{DisableBracketedPaste, EnableBracketedPaste},
    queue,
    style::ResetColor,
    terminal::{self, EnterAlternateScreen, LeaveAlternateScreen},
};
use rustix::{
    event::{PollFd, PollFlags, Timespec, poll},
    io::Errno,
};
use std::{
    io::{self, Write},
    panic,
    sync::{Once, mpsc as threads},
    thread,
};
use tokio::sync::mpsc;

/// How long an escape by itself waits for the rest of a sequence.
const ESCAPE: Timespec = Timespec { tv_sec: 0, tv_nsec: 30_000_000 };

/// Reports of buttons and wheel, in the form that knows no limit of columns (xterm's control sequences, modes 1000 and 1006).
pub const TAKE_MOUSE: &[u8] = b"\x1b[?1000h\x1b[?1006h";
/// No reports: the terminal selects text again.
pub const FREE_MOUSE: &[u8] = b"\x1b[?1006l\x1b[?1000l";

/// A terminal that is ours until this is dropped.
#[derive(Debug)]
pub struct Terminal(());

impl Terminal {
    /// Takes the terminal over.
    pub fn take() -> io::Result<Terminal> {
        terminal::enable_raw_mode()?;
        let taken = Terminal(());
        let mut out = io::stdout().lock();
        queue!(out, EnterAlternateScreen, EnableBracketedPaste, cursor::Hide)?;
        out.flush()?;
        restore_on_panic();
        Ok(taken)
    }

    /// Takes it over again after it was given back for a while.
    pub fn retake(&self) -> io::Result<()> {
        terminal::enable_raw_mode()?;
        let mut out = io::stdout().lock();
        queue!(out, EnterAlternateScreen, EnableBracketedPaste, cursor::Hide)?;
        out.flush()
    }

    /// Gives it back. Twice is the same as once.
    pub fn restore() {
        let mut out = io::stdout().lock();
        // A terminal that is gone wants nothing back.
        let _gone = out.write_all(FREE_MOUSE);
        let _gone = queue!(out, ResetColor, DisableBracketedPaste, cursor::Show, LeaveAlternateScreen).and_then(|()| out.flush());
        let _gone = terminal::disable_raw_mode();
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        Terminal::restore();
    }
}

/// A panic on the console's thread gives the terminal back before its message is printed; one on another thread, where the console
/// goes on, is logged instead of printed across the screen.
fn restore_on_panic() {
    static HOOK: Once = Once::new();
    let ours = thread::current().id();
    HOOK.call_once(|| {
        let before = panic::take_hook();
        panic::set_hook(Box::new(move |info| {
            if thread::current().id() == ours {
                Terminal::restore();
                before(info);
            } else {
                log::error!("{info}");
            }
        }));
    });
}

/// Columns and rows.
pub fn size() -> (u16, u16) {
    match rustix::termios::tcgetwinsize(io::stdout()) {
        Ok(size) if size.ws_col > 0 && size.ws_row > 0 => (size.ws_col, size.ws_row),
        _ => (80, 24),
    }
}

/// Starts to read. The channel holds 256 inputs; a full one makes the reader wait. It closes when the terminal is gone.
pub fn read() -> io::Result<mpsc::Receiver<Input>> {
    let (send, inputs) = mpsc::channel(256);
    thread::Builder::new().name("keyboard".into()).spawn(move || read_on(&send))?;
    Ok(inputs)
}

fn read_on(send: &mpsc::Sender<Input>) {
    let (mut decoder, mut buffer, mut inputs) = (Decoder::default(), [0_u8; 4096], Vec::new());
    loop {
        match rustix::io::read(io::stdin(), &mut buffer) {
            Ok(0) => return,
            Ok(n) => decoder.feed(buffer.get(..n).unwrap_or(&[]), &mut inputs),
            Err(Errno::INTR) => continue,
            Err(_) => return,
        }
        if decoder.is_waiting() {
            let stdin = io::stdin();
            let mut wait = [PollFd::new(&stdin, PollFlags::IN)];
            if let Ok(0) = poll(&mut wait, Some(&ESCAPE)) {
                decoder.flush(&mut inputs);
            }
        }
        for input in inputs.drain(..) {
            if send.blocking_send(input).is_err() {
                return;
            }
        }
    }
}

/// The thread that writes frames.
#[derive(Debug)]
pub struct Writer {
    frames: threads::SyncSender<Vec<u8>>,
    /// A buffer comes back, emptied, when its frame is written; the channel closes when the terminal is gone.
    pub written: mpsc::Receiver<Vec<u8>>,
}

impl Writer {
    /// Starts it.
    pub fn start() -> io::Result<Writer> {
        // One frame at a time is on its way, so neither channel is ever full.
        let (frames, todo) = threads::sync_channel::<Vec<u8>>(1);
        let (done, written) = mpsc::channel(1);
        thread::Builder::new().name("screen".into()).spawn(move || {
            for mut frame in todo {
                let mut out = io::stdout().lock();
                if out.write_all(&frame).and_then(|()| out.flush()).is_err() {
                    return;
                }
                drop(out);
                frame.clear();
                if done.blocking_send(frame).is_err() {
                    return;
                }
            }
        })?;
        Ok(Writer { frames, written })
    }

    /// Hands a frame over; false when the terminal is gone.
    pub fn write(&self, frame: Vec<u8>) -> bool {
        self.frames.try_send(frame).is_ok()
    }
}
