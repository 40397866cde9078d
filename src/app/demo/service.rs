//! The service of the demo: answers each request of eight bytes with the same eight bytes, after a fixed amount of cpu work. It is what
//! an operator wants to be quick, and does nothing to be so.

use crate::{
    app::{
        demo::part::{Life, work},
        failure::Failure,
    },
    host::host::Host,
};
use std::{
    io::{Read, Write},
    net::{Ipv4Addr, TcpListener, TcpStream},
};

/// Cpu nanoseconds per request.
const WORK: u64 = 1_500_000;

/// Serves until the demo ends. The port is told on standard output.
pub fn run(parent: u32, seconds: u64) -> Result<(), Failure> {
    let life = Life::begin(c"demo-service", parent, seconds)?;
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).map_err(Failure::new)?;
    let port = listener.local_addr().map_err(Failure::new)?.port();
    crate::app::out::say(&format!("{port}\n"))?;
    // One client, the prober; when it goes, the demo is going.
    let (stream, _) = listener.accept().map_err(Failure::new)?;
    serve(&life, stream)
}

fn serve(life: &Life, mut stream: TcpStream) -> Result<(), Failure> {
    stream.set_nodelay(true).map_err(Failure::new)?;
    let own = std::process::id();
    let spent = || life.host().cpu_clock(own).map_err(Failure::new);
    let (mut request, mut state) = ([0; 8], [0; 32]);
    while !life.is_over() {
        if stream.read_exact(&mut request).is_err() {
            return Ok(());
        }
        let begin = spent()?;
        while spent()?.saturating_sub(begin) < WORK {
            work(&mut state);
        }
        if stream.write_all(&request).is_err() {
            return Ok(());
        }
    }
    Ok(())
}
