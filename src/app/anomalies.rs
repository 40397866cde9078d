//! `trimtab anomalies --stdin`: numbers in, one line `score,alert` out for each row, from what stood up to that row. The score is 1 at
//! the threshold of an alarm. One column is watched as a series, several as a host. For benchmarks, and for numbers of any origin.

use crate::{
    analysis::anomaly::{host::HostWatcher, watcher::Watcher},
    app::{cli::Anomalies, failure::Failure},
};
use std::io::{self, BufRead, BufReader, ErrorKind, Write};

/// Seconds from row to row where the rows do not tell.
const STEP: f64 = 60.0;
/// Columns at most.
const COLUMNS: usize = 1024;

/// Reads rows until there are no more, or nobody reads what is said about them.
pub fn run(wish: &Anomalies) -> Result<(), Failure> {
    let step = wish.step.map(|step| step.as_secs_f64());
    match stream(BufReader::new(io::stdin().lock()), io::stdout().lock(), step) {
        Err(Broken::Output(e)) if e.kind() == ErrorKind::BrokenPipe => Ok(()),
        Err(Broken::Output(e)) => Err(Failure::new(format!("standard output: {e}"))),
        Err(Broken::Input(e)) => Err(Failure::new(format!("standard input: {e}"))),
        Err(Broken::Line(at, why)) => Err(Failure::usage(format!("line {at}: {why}"))),
        Ok(()) => Ok(()),
    }
}

/// Why it ended early.
enum Broken {
    Input(io::Error),
    Output(io::Error),
    /// A line, counted from 1, that is no row, and why.
    Line(usize, String),
}

/// One row: seconds, and a value for each column.
type Row = (f64, Vec<Option<f64>>);

fn stream(mut input: BufReader<impl io::Read>, mut output: impl Write, step: Option<f64>) -> Result<(), Broken> {
    let (mut line, mut at, mut columns) = (String::new(), 0, 0);
    let mut desk = Desk { step, watch: None, held: None };
    let mut said = String::new();
    loop {
        line.clear();
        if input.read_line(&mut line).map_err(Broken::Input)? == 0 {
            break;
        }
        at += 1;
        let text = line.trim_end();
        if at == 1 {
            columns = heading(text).map_err(|why| Broken::Line(1, why))?;
            continue;
        }
        let row = row(text, columns).map_err(|why| Broken::Line(at, why))?;
        desk.take(row, &mut said);
        // Whoever types row by row is answered row by row.
        if input.buffer().is_empty() || said.len() > 1 << 16 {
            output.write_all(said.as_bytes()).and_then(|()| output.flush()).map_err(Broken::Output)?;
            said.clear();
        }
    }
    if at == 0 {
        return Err(Broken::Line(1, "nothing came; the first line names the columns: t,NAME[,NAME...]".into()));
    }
    desk.finish(&mut said);
    output.write_all(said.as_bytes()).and_then(|()| output.flush()).map_err(Broken::Output)
}

/// Columns besides the time.
fn heading(text: &str) -> Result<usize, String> {
    let mut names = text.split(',');
    let time = names.next().unwrap_or_default().trim();
    let columns = names.count();
    match columns {
        _ if time != "t" => Err("the first line names the columns: t,NAME[,NAME...]".into()),
        0 => Err("there is no column beside t".into()),
        1..=COLUMNS => Ok(columns),
        _ => Err(format!("at most {COLUMNS} columns")),
    }
}

fn row(text: &str, columns: usize) -> Result<Row, String> {
    let mut fields = text.split(',').map(str::trim);
    let time = fields.next().unwrap_or_default();
    let time = time.parse::<f64>().ok().filter(|time| time.is_finite()).ok_or("the time is no number of seconds")?;
    let mut values = Vec::with_capacity(columns);
    for (column, field) in fields.enumerate() {
        values.push(match field {
            "" => None,
            number => Some(number.parse::<f64>().map_err(|_| format!("column {} is no number", column + 2))?),
        });
    }
    if values.len() == columns {
        Ok((time, values))
    } else {
        Err(format!("{} columns where the first line has {}", values.len() + 1, columns + 1))
    }
}

/// Who watches.
enum Watch {
    Series(Box<Watcher>),
    Host(HostWatcher),
}

/// Holds the first row until the second tells the step, unless it is given.
struct Desk {
    step: Option<f64>,
    watch: Option<Watch>,
    held: Option<Row>,
}

impl Desk {
    fn take(&mut self, row: Row, said: &mut String) {
        if self.watch.is_none() {
            let found = self.held.as_ref().map(|held| if row.0 > held.0 { row.0 - held.0 } else { STEP });
            let Some(step) = self.step.or(found) else {
                self.held = Some(row);
                return;
            };
            self.open(step, row.1.len(), said);
        }
        self.answer(row, said);
    }

    fn open(&mut self, step: f64, columns: usize, said: &mut String) {
        let watch = match columns {
            1 => Watch::Series(Box::new(Watcher::new(step))),
            _ => Watch::Host(HostWatcher::new(step, columns)),
        };
        self.watch = Some(watch);
        if let Some(held) = self.held.take() {
            self.answer(held, said);
        }
    }

    fn answer(&mut self, (time, values): Row, said: &mut String) {
        let Some(watch) = &mut self.watch else { return };
        let (score, alert) = match watch {
            Watch::Series(watcher) => {
                let verdict = watcher.take(time, values.first().copied().flatten());
                (verdict.score, verdict.alert)
            }
            Watch::Host(watcher) => {
                let (together, _) = watcher.take(time, &values);
                (together.score, together.alert)
            }
        };
        said.push_str(&format!("{score:.9},{}\n", u8::from(alert)));
    }

    /// A lone row has nothing before it.
    fn finish(&mut self, said: &mut String) {
        if let Some(held) = self.held.take() {
            self.open(STEP, held.1.len(), said);
            self.answer(held, said);
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]
mod tests {
    use super::*;

    fn said(input: &str) -> Result<String, (usize, String)> {
        let mut output = Vec::new();
        match stream(BufReader::new(input.as_bytes()), &mut output, None) {
            Ok(()) => Ok(String::from_utf8(output).unwrap()),
            Err(Broken::Line(at, why)) => Err((at, why)),
            Err(_) => panic!("reading and writing memory failed"),
        }
    }

    #[test]
    fn each_row_has_one_line() {
        assert_eq!(said("t,m1\n").unwrap(), "");
        assert_eq!(said("t,m1\n0,1\n").unwrap(), "0.000000000,0\n");
        assert_eq!(said("t,m1\n60,1\n0,1\n").unwrap().lines().count(), 2, "a clock that is put back is no error");
        assert_eq!(said("t,m1,m2\n0,1,\n60,,2\n120,,\n").unwrap().lines().count(), 3);
    }

    #[test]
    fn what_is_no_row_is_named_by_its_line() {
        for (input, line, why) in [
            ("", 1, "nothing came"),
            ("1,2\n", 1, "names the columns"),
            ("t\n", 1, "no column"),
            ("t,a\n0,1\n60,x\n", 3, "column 2 is no number"),
            ("t,a\n0,1\n60,1,2\n", 3, "3 columns"),
            ("t,a\n0,1\n\n", 3, "no number of seconds"),
            ("t,a\nnoon,1\n", 2, "no number of seconds"),
        ] {
            let (at, said) = said(input).unwrap_err();
            assert!(at == line && said.contains(why), "{input:?}: line {at}: {said}");
        }
    }

    #[test]
    fn a_level_never_held_is_an_alarm() {
        let mut input = String::from("t,m1\n");
        for row in 0..600 {
            let value = if row == 550 { 90.0 } else { 20.0 + f64::from(row * 37 % 11) / 10.0 };
            input.push_str(&format!("{},{value}\n", row * 300));
        }
        let output = said(&input).unwrap();
        let alerts: Vec<usize> = output.lines().enumerate().filter(|(_, line)| line.ends_with(",1")).map(|(at, _)| at).collect();
        assert_eq!(alerts, [550]);
    }
}
