//! Lines of bounded length from a stream. Reading can be broken off at any moment and taken up again without losing a byte.

use std::io;
use tokio::io::{AsyncRead, AsyncReadExt};

/// Why there is no line.
#[derive(Debug)]
pub enum Broken {
    /// The other side has closed.
    Closed,
    /// The line is longer than allowed.
    TooLong,
    /// The stream failed.
    Failed(io::Error),
}

/// A stream cut into lines.
#[derive(Debug)]
pub struct Lines<R> {
    from: R,
    held: Vec<u8>,
    /// How far `held` has been searched for a line's end.
    seen: usize,
    most: usize,
}

impl<R: AsyncRead + Unpin> Lines<R> {
    /// Lines of at most `most` bytes.
    pub fn new(from: R, most: usize) -> Lines<R> {
        Lines { from, held: Vec::new(), seen: 0, most }
    }

    /// The next line without its end. Safe to cancel: what was read stays.
    pub async fn next(&mut self) -> Result<Vec<u8>, Broken> {
        loop {
            if let Some(line) = self.take()? {
                return Ok(line);
            }
            self.held.reserve(4096);
            match self.from.read_buf(&mut self.held).await {
                Ok(0) => return Err(Broken::Closed),
                Ok(_) => {}
                Err(e) => return Err(Broken::Failed(e)),
            }
        }
    }

    /// True when a line has begun and not ended.
    pub fn is_within(&self) -> bool {
        !self.held.is_empty()
    }

    fn take(&mut self) -> Result<Option<Vec<u8>>, Broken> {
        let fresh = self.held.get(self.seen..).unwrap_or_default();
        match fresh.iter().position(|b| *b == b'\n').map(|i| self.seen + i) {
            Some(end) if end > self.most => Err(Broken::TooLong),
            Some(end) => {
                let rest = self.held.split_off(end + 1);
                let mut line = std::mem::replace(&mut self.held, rest);
                self.seen = 0;
                line.truncate(end);
                Ok(Some(line))
            }
            None if self.held.len() > self.most => Err(Broken::TooLong),
            None => {
                self.seen = self.held.len();
                Ok(None)
            }
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use tokio::io::AsyncWriteExt;

    fn run<T>(work: impl Future<Output = T>) -> T {
        tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(work)
    }

    /// The lines that come out of these pieces, and how it ended.
    fn lines(pieces: &[Vec<u8>], most: usize) -> (Vec<Vec<u8>>, Broken) {
        run(async {
            let (mut to, from) = tokio::io::duplex(1 << 20);
            for piece in pieces {
                to.write_all(piece).await.unwrap();
            }
            drop(to);
            let mut lines = Lines::new(from, most);
            let mut all = Vec::new();
            loop {
                match lines.next().await {
                    Ok(line) => all.push(line),
                    Err(end) => return (all, end),
                }
            }
        })
    }

    #[test]
    fn a_line_over_the_cap_ends_the_stream_before_it_is_held_whole() {
        let (all, end) = lines(&[b"ok\n".to_vec(), vec![b'x'; 500_000]], 1000);
        assert_eq!(all, [b"ok"]);
        assert!(matches!(end, Broken::TooLong));
    }

    proptest! {
        #[test]
        fn lines_are_the_same_however_the_bytes_are_cut(
            pieces in prop::collection::vec(prop::collection::vec(prop_oneof![3 => any::<u8>(), 1 => Just(b'\n')], 0..40), 0..20)
        ) {
            let whole: Vec<u8> = pieces.concat();
            let mut expect: Vec<Vec<u8>> = whole.split(|b| *b == b'\n').map(<[u8]>::to_vec).collect();
            expect.pop();
            prop_assert_eq!(lines(&pieces, 4096).0, expect);
        }
    }
}
