//! The command line.

use crate::{
    config::address,
    model::{
        alert::AlertId, change::ChangeId, emergency::EmergencyKind, limits::Mode, message::Exposition, metric::Metric, pick::Pick,
        when,
    },
    store::proof::Anchor,
};
use clap::{
    Args, Parser, Subcommand,
    builder::{PossibleValue, StringValueParser, TypedValueParser},
};
use clap_complete::Shell;
use std::{ffi::OsStr, net::SocketAddr, path::PathBuf, sync::LazyLock, time::Duration};

/// Watch a Linux host, explain what holds it back, propose changes, apply the approved ones, measure them, undo what did not help.
#[derive(Debug, Parser)]
#[command(name = "trimtab", version, disable_help_subcommand = true)]
pub struct Cli {
    /// What applies to every way to run.
    #[command(flatten)]
    pub common: Common,
    /// Sample for a second, print findings and proposals, end. Needs no engine and changes nothing
    #[arg(long)]
    pub once: bool,
    /// With --once: print JSON
    #[arg(long, requires = "once")]
    pub json: bool,
    /// Print a line for each sweep of the host until the reader closes: jsonl or csv. Changes nothing
    #[arg(long, value_name = "FORMAT", conflicts_with = "once", value_parser = stream)]
    pub stream: Option<Stream>,
    /// With --stream: seconds from line to line
    #[arg(long, value_name = "SECONDS", requires = "stream", default_value_t = 1, value_parser = clap::value_parser!(u64).range(1..=86_400))]
    pub every: u64,
    /// With --stream: end after so many lines
    #[arg(long, value_name = "N", requires = "stream")]
    pub count: Option<u64>,
    /// With --stream: only these, such as cpu_busy,disk_read:vda,cgroup_cpu:/system.slice/*; all but those of processes unless given
    #[arg(long, visible_alias = "metric", value_name = "KEYS", requires = "stream", value_delimiter = ',')]
    pub keys: Vec<Pick>,
    /// What to do; without one, the console opens, on the running engine or on one of its own
    #[command(subcommand)]
    pub verb: Option<Verb>,
}

/// What applies to every way to run.
#[derive(Clone, Debug, Default, Args)]
pub struct Common {
    /// Only watch: nothing on this host is changed
    #[arg(long, visible_alias = "read-only", global = true, conflicts_with = "mode")]
    pub observe: bool,
    /// Go the whole way and write nothing: tell what would have been written
    #[arg(long, global = true, conflicts_with = "observe")]
    pub dry: bool,
    /// Start in this mode: observe, suggest, auto
    #[arg(long, global = true, value_name = "MODE", value_parser = mode)]
    pub mode: Option<Mode>,
    /// Read this configuration over the usual ones
    #[arg(long, global = true, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// Keep the journal here
    #[arg(long, global = true, value_name = "DIR")]
    pub state: Option<PathBuf>,
    /// Listen, or look for the engine, here
    #[arg(long, global = true, value_name = "PATH")]
    pub socket: Option<PathBuf>,
    /// Serve the present numbers to Prometheus at http://ADDRESS/metrics; PORT alone is on loopback
    #[arg(long, global = true, value_name = "ADDRESS", value_parser = address::parse)]
    pub metrics: Option<SocketAddr>,
    /// Theme of the console
    #[arg(long, global = true, value_name = "NAME")]
    pub theme: Option<String>,
    /// Layout of the console: overview, processes, changes, charts, disks, or a file
    #[arg(long, global = true, value_name = "NAME")]
    pub layout: Option<String>,
    /// Draw with ASCII alone
    #[arg(long, global = true)]
    pub ascii: bool,
}

/// Verbs.
#[derive(Debug, Subcommand)]
pub enum Verb {
    /// Try it: a small service, a few cpu hogs beside it, and the console on both; all undone at the end
    Demo(Demo),
    /// Run the engine without a screen
    Daemon,
    /// Open the console on a running engine, of this host or, through ssh, of another one
    Attach(Attach),
    /// Watch without a screen and write what is seen into a file
    Record(Record),
    /// Open the console on the past: a file, or a time of this host's history
    Replay(Replay),
    /// Write the newest minutes of this host's history into one small file for a colleague
    Snapshot(Snapshot),
    /// Tell what this host lets trimtab read and change, and why not
    Doctor(Format),
    /// Tell how the engine and the host are
    Status(Format),
    /// List the changes, proposed and made
    Queue(Format),
    /// Tell all about one change
    Show(One),
    /// Approve a proposal
    Approve(One),
    /// Apply an approved change
    Apply(One),
    /// Dismiss a proposal
    Reject(One),
    /// Keep a change that is being watched
    Keep(One),
    /// Undo a change, or all of them
    Rollback(Rollback),
    /// Print the journal, oldest first; prove or export it
    Audit(Audit),
    /// Tell what changes taught here: how often each helped or harmed, what is trusted, what is not proposed
    Learned(Format),
    /// Print the present numbers for Prometheus, or write them into a file for node_exporter's textfile collector
    Metrics(Metrics),
    /// List the alerts: those that hold, then those that are over
    Alerts(Format),
    /// Say that you know of an alert
    Ack(OneAlert),
    /// Put an alert off: for 15m, 1h, 2d, or without a time until it clears
    Snooze(SnoozeAlert),
    /// Print what makes a shell complete trimtab's verbs and options: bash, zsh, fish
    Completions(Completions),
    /// Print the manual page, in roff
    Man,
    /// Tell where a number is heading, with ranges; without a number, what can be asked
    Forecast(Forecast),
    /// Tell what is odd in the numbers on standard input: `score,alert` for each row
    Anomalies(Anomalies),
    /// Tell what more load, other cores or more workers would do, by laws fitted to what was measured
    WhatIf(WhatIf),
    /// Tell what is behind the trouble: suspects with the evidence, what moves together, what repeats
    Why(Format),
    /// Switch the mode of the engine: observe, suggest, auto
    Mode(SetMode),
    /// Fight an emergency that holds: E1 to E6
    Rescue(RescueFrom),
    /// Stop everything new, with or without a running engine; what is applied stays, and can be rolled back
    Halt(Format),
    /// Lift a halt
    Resume(Format),
    /// One part of the demo
    #[command(hide = true)]
    DemoPart(DemoPart),
    /// The process that undoes what nobody confirmed
    #[command(hide = true)]
    Guard(Guard),
}

/// Which engine.
#[derive(Clone, Debug, Args)]
pub struct Attach {
    /// On this host, as ssh names it, such as ann@web1; --socket is then a path there
    #[arg(long, value_name = "HOST")]
    pub host: Option<String>,
}

/// What to record.
#[derive(Clone, Debug, Args)]
pub struct Record {
    /// Into this file, which must not exist; else into one named after host and time, here
    #[arg(long, value_name = "FILE")]
    pub out: Option<PathBuf>,
    /// Store a sweep this often
    #[arg(long, value_name = "SPAN", default_value = "1s", value_parser = span)]
    pub every: Duration,
    /// End after this time; else with a signal
    #[arg(long = "for", value_name = "SPAN", value_parser = span)]
    pub last: Option<Duration>,
}

/// What to play.
#[derive(Clone, Debug, Args)]
pub struct Replay {
    /// A history, a recording or a snapshot file; or a time such as 14:05, -10m, "2026-11-21 14:05" (UTC)
    #[arg(value_name = "FILE|TIME", allow_hyphen_values = true)]
    pub what: String,
    /// Begin at this time
    #[arg(long, value_name = "TIME", allow_hyphen_values = true)]
    pub from: Option<String>,
    /// Seconds of the past per second
    #[arg(long, value_name = "N", default_value_t = 1.0, value_parser = speed)]
    pub speed: f64,
}

/// What to hand over.
#[derive(Clone, Debug, Args)]
pub struct Snapshot {
    /// The file to make
    pub file: PathBuf,
    /// How much of the past
    #[arg(long, value_name = "SPAN", default_value = "10m", value_parser = span)]
    pub last: Duration,
}

/// What a stream is made of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stream {
    /// One JSON object a line.
    Jsonl,
    /// Comma-separated values.
    Csv,
}

/// How to print.
#[derive(Clone, Copy, Debug, Args)]
pub struct Format {
    /// Print JSON
    #[arg(long)]
    pub json: bool,
}

/// One change.
#[derive(Clone, Copy, Debug, Args)]
pub struct One {
    /// Its number, as `queue` prints it
    #[arg(value_parser = change)]
    pub id: ChangeId,
    /// How to print.
    #[command(flatten)]
    pub format: Format,
}

/// What to undo.
#[derive(Clone, Copy, Debug, Args)]
pub struct Rollback {
    /// Its number, as `queue` prints it
    #[arg(value_parser = change, required_unless_present = "all", conflicts_with = "all")]
    pub id: Option<ChangeId>,
    /// Everything that is applied, newest first
    #[arg(long)]
    pub all: bool,
    /// How to print.
    #[command(flatten)]
    pub format: Format,
}

/// How much of the journal.
#[derive(Clone, Debug, Args)]
#[command(args_conflicts_with_subcommands = true)]
pub struct Audit {
    /// Something else with it than printing its newest entries.
    #[command(subcommand)]
    pub what: Option<AuditOf>,
    /// The newest N entries
    #[arg(long, value_name = "N", default_value_t = 100)]
    pub most: usize,
    /// How to print.
    #[command(flatten)]
    pub format: Format,
}

/// What to do with the whole journal, by its file: an engine is not needed, and not disturbed.
#[derive(Clone, Debug, Subcommand)]
pub enum AuditOf {
    /// Prove that every record is as it was written; names the first one that is not
    Verify(Verify),
    /// Write the records out, with their hashes
    Export(Export),
    /// Tell how long deciding, applying and rolling back took
    Timings(Format),
}

/// What to prove.
#[derive(Clone, Debug, Args)]
pub struct Verify {
    /// Prove also that this record still stands: NUMBER:HASH, as it was logged at an earlier time
    #[arg(long, value_name = "N:HASH", value_parser = anchor)]
    pub anchor: Option<Anchor>,
    /// How to print.
    #[command(flatten)]
    pub format: Format,
}

/// What to export.
#[derive(Clone, Debug, Args)]
pub struct Export {
    /// jsonl or csv
    #[arg(long, value_name = "FORMAT", value_parser = table, default_value = "jsonl")]
    pub format: Table,
    /// From this time on, such as -2d or 2026-11-21
    #[arg(long, value_name = "TIME", allow_hyphen_values = true)]
    pub from: Option<String>,
    /// Up to this time
    #[arg(long, value_name = "TIME", allow_hyphen_values = true)]
    pub to: Option<String>,
}

/// What an export is made of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Table {
    /// One JSON object a line.
    Jsonl,
    /// Comma-separated values.
    Csv,
}

/// Where the numbers go.
#[derive(Clone, Debug, Args)]
pub struct Metrics {
    /// Write them into this file, whole or not at all; its name must end in .prom for the collector to read it
    #[arg(long, value_name = "FILE")]
    pub out: Option<PathBuf>,
    /// openmetrics, or text, the format before it; a file is text unless told otherwise
    #[arg(long, value_name = "FORMAT", value_parser = exposition)]
    pub format: Option<Exposition>,
}

/// One alert.
#[derive(Clone, Copy, Debug, Args)]
pub struct OneAlert {
    /// Its number, as `alerts` prints it
    #[arg(value_parser = alert)]
    pub id: AlertId,
    /// How to print.
    #[command(flatten)]
    pub format: Format,
}

/// One alert, and for how long.
#[derive(Clone, Copy, Debug, Args)]
pub struct SnoozeAlert {
    /// Its number, as `alerts` prints it
    #[arg(value_parser = alert)]
    pub id: AlertId,
    /// For how long, such as 15m, 1h, 2d
    #[arg(value_name = "TIME", value_parser = put_off)]
    pub span: Option<u64>,
    /// How to print.
    #[command(flatten)]
    pub format: Format,
}

/// What to look ahead on.
#[derive(Clone, Debug, Args)]
pub struct Forecast {
    /// A number by its name, such as memory_used, filesystem_used:/var, disk_write:vda
    #[arg(value_parser = MetricName, hide_possible_values = true, conflicts_with = "stdin")]
    pub metric: Option<String>,
    /// How far: 30m, 2h; with --stdin, a plain number is steps
    #[arg(long, value_name = "SPAN|STEPS", value_parser = horizon, default_value = "2h")]
    pub horizon: Horizon,
    /// Forecast the series on standard input: lines `t,value`, seconds and a number, oldest first, an empty value where one is missing
    #[arg(long)]
    pub stdin: bool,
    /// With --stdin: seconds from value to value; found in the input unless given
    #[arg(long, value_name = "SPAN", requires = "stdin", value_parser = span)]
    pub step: Option<Duration>,
    /// Print JSON
    #[arg(long)]
    pub json: bool,
}

/// What to watch.
#[derive(Clone, Copy, Debug, Args)]
pub struct Anomalies {
    /// Watch standard input: CSV with a first line `t,NAME[,NAME...]`, seconds and numbers, oldest first, empty where one is missing.
    /// Several columns are watched together, as a host. A score of 1 is an alarm's threshold; alert is 1 where one begins
    #[arg(long, required = true)]
    pub stdin: bool,
    /// Seconds from row to row; found in the input unless given
    #[arg(long, value_name = "SPAN", value_parser = span)]
    pub step: Option<Duration>,
}

/// How far to look ahead.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Horizon {
    /// A time.
    Span(Duration),
    /// So many steps of the series.
    Steps(usize),
}

/// What to suppose.
#[derive(Clone, Debug, Args)]
#[command(after_help = WHAT_IF)]
pub struct WhatIf {
    /// disk:NAME, service:NAME or cpu
    #[arg(value_parser = station, required_unless_present = "stdin", conflicts_with = "stdin")]
    pub of: Option<Station>,
    /// So much load: +50%, -20%, 2x
    #[arg(long, value_name = "CHANGE", value_parser = load, allow_hyphen_values = true, conflicts_with = "stdin")]
    pub load: Option<f64>,
    /// With cpu: so many cores
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=4096), conflicts_with = "stdin")]
    pub cores: Option<u32>,
    /// With a service: so many requests worked on at once
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=1_000_000), conflicts_with_all = ["stdin", "load"])]
    pub workers: Option<u32>,
    /// Learn from so much of the stored history; else from the half hour that the engine has at hand
    #[arg(long, value_name = "SPAN", value_parser = span, conflicts_with = "stdin")]
    pub last: Option<Duration>,
    /// Fit the load test on standard input: lines `concurrency,throughput` or `concurrency,throughput,latency`, latency in seconds
    #[arg(long)]
    pub stdin: bool,
    /// With --stdin: throughput at these concurrencies
    #[arg(long, value_name = "N,N", requires = "stdin", value_delimiter = ',')]
    pub at: Vec<f64>,
    /// Print JSON
    #[arg(long)]
    pub json: bool,
}

const WHAT_IF: &str = "Examples:
  trimtab what-if disk:vda --load +50%
  trimtab what-if cpu --cores 4
  trimtab what-if service:shop --workers 8
  trimtab what-if --stdin --at 64,128 < load-test.csv";

/// What is supposed to change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Station {
    /// A disk by its kernel name.
    Disk(String),
    /// A service by its configured name.
    Service(String),
    /// All cores.
    Cpu,
}

/// For which shell.
#[derive(Clone, Copy, Debug, Args)]
pub struct Completions {
    /// bash, zsh or fish
    #[arg(value_parser = shell)]
    pub shell: Shell,
}

/// Which mode.
#[derive(Clone, Copy, Debug, Args)]
pub struct SetMode {
    /// observe, suggest or auto
    #[arg(value_parser = mode, id = "to", value_name = "MODE")]
    pub to: Mode,
    /// How to print.
    #[command(flatten)]
    pub format: Format,
}

/// Which emergency.
#[derive(Clone, Copy, Debug, Args)]
pub struct RescueFrom {
    /// Its row: E1 to E6
    #[arg(value_parser = emergency, value_name = "ROW")]
    pub kind: EmergencyKind,
    /// How to print.
    #[command(flatten)]
    pub format: Format,
}

fn emergency(text: &str) -> Result<EmergencyKind, String> {
    let named = EmergencyKind::ALL.into_iter().find(|kind| kind.row().eq_ignore_ascii_case(text));
    named.ok_or_else(|| "it is one of E1 to E6".into())
}

/// The size of the demo.
#[derive(Clone, Copy, Debug, Args)]
pub struct Demo {
    /// End after so many seconds
    #[arg(long, value_name = "N", default_value_t = 600, value_parser = clap::value_parser!(u64).range(10..=86_400))]
    pub seconds: u64,
    /// How many cpu hogs; three per cpu unless given
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=1024))]
    pub hogs: Option<u32>,
}

/// Which part, told by the demo to its children.
#[derive(Clone, Debug, Args)]
pub struct DemoPart {
    /// service, prober or batch
    pub part: String,
    /// Pid of the demo
    #[arg(long)]
    pub parent: u32,
    /// Seconds to live
    #[arg(long)]
    pub seconds: u64,
    /// Where the prober writes
    #[arg(long)]
    pub file: Option<PathBuf>,
    /// Where the service listens
    #[arg(long)]
    pub port: Option<u16>,
}

/// What the guard needs.
#[derive(Clone, Debug, Args)]
pub struct Guard {
    /// The journal's directory
    pub directory: PathBuf,
}

fn mode(text: &str) -> Result<Mode, String> {
    [Mode::Observe, Mode::Suggest, Mode::Auto]
        .into_iter()
        .find(|mode| mode.words() == text)
        .ok_or_else(|| "modes are observe, suggest, auto".into())
}

fn anchor(text: &str) -> Result<Anchor, String> {
    text.parse()
}

fn table(text: &str) -> Result<Table, String> {
    match text {
        "jsonl" => Ok(Table::Jsonl),
        "csv" => Ok(Table::Csv),
        _ => Err("formats are jsonl, csv".into()),
    }
}

fn stream(text: &str) -> Result<Stream, String> {
    match text {
        "jsonl" => Ok(Stream::Jsonl),
        "csv" => Ok(Stream::Csv),
        _ => Err("formats are jsonl, csv".into()),
    }
}

fn alert(text: &str) -> Result<AlertId, String> {
    let number = text.strip_prefix('!').unwrap_or(text);
    number.parse().map(AlertId).map_err(|_| "an alert has a number, such as 12".into())
}

/// Seconds of `30`, `30s`, `15m`, `4h`, `2d`; a minute to 30 days.
fn put_off(text: &str) -> Result<u64, String> {
    let digits = text.trim_end_matches(|c: char| c.is_ascii_alphabetic());
    let unit = match text.get(digits.len()..).unwrap_or_default() {
        "" | "s" => 1,
        "m" => 60,
        "h" => 3600,
        "d" => 86_400,
        _ => 0,
    };
    let seconds = digits.parse::<u64>().ok().and_then(|n| n.checked_mul(unit));
    seconds.filter(|s| (60..=30 * 86_400).contains(s)).ok_or_else(|| "a time is 60s to 30d, such as 15m, 1h, 2d".into())
}

fn shell(text: &str) -> Result<Shell, String> {
    match text {
        "bash" => Ok(Shell::Bash),
        "zsh" => Ok(Shell::Zsh),
        "fish" => Ok(Shell::Fish),
        _ => Err("shells are bash, zsh, fish".into()),
    }
}

fn exposition(text: &str) -> Result<Exposition, String> {
    match text {
        "openmetrics" => Ok(Exposition::OpenMetrics),
        "text" => Ok(Exposition::Text),
        _ => Err("formats are openmetrics, text".into()),
    }
}

/// The most steps that can be asked for.
const MOST_STEPS: usize = 10_000;

fn horizon(text: &str) -> Result<Horizon, String> {
    let steps = text.parse().ok().filter(|steps| (1..=MOST_STEPS).contains(steps)).map(Horizon::Steps);
    let span = || span(text).ok().filter(|_| !text.bytes().all(|b| b.is_ascii_digit())).map(Horizon::Span);
    steps.or_else(span).ok_or_else(|| format!("a horizon is a span such as 30m, 2h, or 1 to {MOST_STEPS} steps"))
}

/// Any text; shells complete the names of metrics.
#[derive(Clone, Copy)]
struct MetricName;

impl TypedValueParser for MetricName {
    type Value = String;

    fn parse_ref(&self, command: &clap::Command, arg: Option<&clap::Arg>, value: &OsStr) -> Result<String, clap::Error> {
        StringValueParser::new().parse_ref(command, arg, value)
    }

    fn possible_values(&self) -> Option<Box<dyn Iterator<Item = PossibleValue> + '_>> {
        static NAMES: LazyLock<Vec<String>> = LazyLock::new(|| Metric::ALL.iter().map(|metric| metric.name()).collect());
        Some(Box::new(NAMES.iter().map(|name| PossibleValue::new(name.as_str()))))
    }
}

fn station(text: &str) -> Result<Station, String> {
    match text.split_once(':') {
        Some(("disk", name)) if !name.is_empty() => Ok(Station::Disk(name.into())),
        Some(("service", name)) if !name.is_empty() => Ok(Station::Service(name.into())),
        None if text == "cpu" => Ok(Station::Cpu),
        _ => Err("it is disk:NAME, service:NAME or cpu".into()),
    }
}

/// Times the present load: `+50%` is 1.5, `2x` is 2.
fn load(text: &str) -> Result<f64, String> {
    let times = match (text.strip_suffix('%'), text.strip_suffix('x')) {
        (Some(percent), _) => percent.parse().ok().map(|percent: f64| 1.0 + percent / 100.0),
        (None, Some(times)) => times.parse().ok(),
        (None, None) => None,
    };
    times.filter(|times| (0.01..=100.0).contains(times)).ok_or_else(|| "a load is such as +50%, -20%, 2x".into())
}

fn span(text: &str) -> Result<Duration, String> {
    when::span(text).ok_or_else(|| "spans are `90s`, `10m`, `1h30m`, `2d`".into())
}

fn speed(text: &str) -> Result<f64, String> {
    let speed = text.parse().ok().filter(|speed| (0.01..=1000.0).contains(speed));
    speed.ok_or_else(|| "0.01 to 1000".into())
}

fn change(text: &str) -> Result<ChangeId, String> {
    let number = text.strip_prefix('#').unwrap_or(text);
    number.parse().map(ChangeId).map_err(|_| "a change has a number, such as 12".into())
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::panic)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn the_command_line_is_well_formed() {
        Cli::command().debug_assert();
    }

    #[test]
    fn flags_may_stand_before_and_after_the_verb() {
        let cli = Cli::try_parse_from(["trimtab", "--socket", "/s", "rollback", "#12", "--json", "--config", "/c"]).unwrap();
        assert_eq!(cli.common.socket, Some("/s".into()));
        assert_eq!(cli.common.config, Some("/c".into()));
        let Some(Verb::Rollback(rollback)) = cli.verb else { panic!("not a rollback") };
        assert_eq!(rollback.id, Some(ChangeId(12)));
    }

    #[test]
    fn times_have_units() {
        for (text, seconds) in [
            ("90", Some(90)),
            ("15m", Some(900)),
            ("1h", Some(3600)),
            ("2d", Some(172_800)),
            ("1s", None),
            ("1y", None),
            ("31d", None),
            ("h", None),
        ] {
            assert_eq!(put_off(text).ok(), seconds, "{text}");
        }
    }

    #[test]
    fn a_horizon_is_a_span_or_a_number_of_steps() {
        let parsed = |args: &[&str]| match Cli::try_parse_from([&["trimtab", "forecast"], args].concat()).unwrap().verb {
            Some(Verb::Forecast(wish)) => (wish.metric, wish.horizon, wish.step),
            other => panic!("{other:?}"),
        };
        let (hours, minutes) = (Duration::from_secs(7200), Duration::from_secs(5400));
        assert_eq!(parsed(&["filesystem_used:/var"]), (Some("filesystem_used:/var".into()), Horizon::Span(hours), None));
        assert_eq!(parsed(&["load", "--horizon", "1h30m"]).1, Horizon::Span(minutes));
        let piped = parsed(&["--stdin", "--horizon", "24", "--step", "300"]);
        assert_eq!(piped, (None, Horizon::Steps(24), Some(Duration::from_secs(300))));
    }

    #[test]
    fn a_load_is_a_change_or_a_multiple() {
        for (text, times) in
            [("+50%", Some(1.5)), ("-20%", Some(0.8)), ("2x", Some(2.0)), ("50", None), ("-100%", None), ("x", None)]
        {
            assert_eq!(load(text).ok(), times, "{text}");
        }
        let cli = Cli::try_parse_from(["trimtab", "what-if", "disk:vda", "--load", "-20%"]).unwrap();
        let Some(Verb::WhatIf(wish)) = cli.verb else { panic!("not a question") };
        assert_eq!((wish.of, wish.load), (Some(Station::Disk("vda".into())), Some(0.8)));
    }

    #[test]
    fn nonsense_is_refused() {
        for bad in [
            &["rollback"][..],
            &["rollback", "1", "--all"],
            &["approve", "x"],
            &["mode", "wild"],
            &["--json"],
            &["--every", "2"],
            &["--stream", "xml"],
            &["anomalies"],
            &["anomalies", "--stdin", "--step", "x"],
            &["forecast", "load", "--horizon", "0"],
            &["forecast", "load", "--horizon", "2y"],
            &["forecast", "load", "--stdin"],
            &["forecast", "--step", "1m"],
            &["what-if"],
            &["what-if", "disk:"],
            &["what-if", "cpu", "--load", "50"],
            &["what-if", "cpu", "--cores", "0"],
            &["what-if", "cpu", "--stdin"],
            &["what-if", "service:x", "--workers", "4", "--load", "2x"],
        ] {
            assert!(Cli::try_parse_from(std::iter::once(&"trimtab").chain(bad)).is_err(), "{bad:?}");
        }
    }
}
