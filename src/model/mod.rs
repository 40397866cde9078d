//! The words of trimtab: plain data with one meaning each. No I/O, no clock, no async, no terminal.
//!
//! **Glossary.** The loop is: *read, derive, detect, propose, approve, prepare, apply, verify, watch, judge, keep* or *roll back*,
//! or *yield*.
//!
//! - A *metric* ([`metric::Metric`]) is a kind of number with a [`unit::Unit`]; a *subject* ([`subject::Subject`]) is what it is
//!   about; both together are a [`metric::Key`], and its values over time a [`series::Series`].
//! - A *sample* ([`sample::Sample`]) is raw and kept as read; a *snapshot* ([`snapshot::Snapshot`]) is derived and immutable.
//! - A *gap* ([`snapshot::Gap`]) is a value that could not be read, and why.
//! - A *finding* ([`finding::Finding`]) is a detected bottleneck with its evidence.
//! - A *knob* ([`knob::Knob`]) is one settable thing of the machine.
//! - A *proposal* ([`proposal::Proposal`]) is a candidate change; a *plan* ([`plan::Plan`]) is all that rollback will ever need.
//! - A *trial* ([`trial::Trial`]) declares, before the write, how the change will be judged; a *verdict* ([`verdict::Verdict`])
//!   says what it did.
//! - A *change* ([`change::Change`]) is a proposal on its way through the states, moved only by a [`change::Deed`].
//! - An *outlook* ([`outlook::Outlook`]) is what is thought beyond the present: forecasts, anomalies, links, stories, patterns.
//! - A *lesson* ([`lesson::Lesson`]) is what changes of one kind taught here; *prospects* ([`lesson::Prospects`]) are what may come of one
//!   proposal by them.
//! - A *note* ([`note::Note`]) is what happened to the engine itself, such as a switch of its mode; a *role* ([`role::Role`]) is what an
//!   operator may ask of it.
//! - A *rule* ([`rule::Rule`]) says what policy allows, to whom and when; a *decision* ([`rule::Decision`]) is what the rules say of one
//!   change.
//! - A *wish* ([`wish::Wish`]) is a change that an operator asks for by hand, such as a signal.
//! - *yield*: someone else set the knob, so hands off. *stuck*: an undo failed and a human is needed.

pub mod ahead;
pub mod alert;
pub mod allowance;
pub mod backing;
pub mod change;
pub mod custom;
pub mod document;
pub mod emergency;
pub mod facts;
pub mod finding;
pub mod hardware;
pub mod hours;
pub mod idle;
pub mod inspection;
pub mod knob;
pub mod lesson;
pub mod limits;
pub mod message;
pub mod metric;
pub mod note;
pub mod outlook;
pub mod paging;
pub mod past;
pub mod phase;
pub mod pick;
pub mod plan;
pub mod proposal;
pub mod readings;
pub mod receive;
pub mod role;
pub mod rule;
pub mod sample;
pub mod series;
pub mod snapshot;
pub mod subject;
pub mod systemd;
pub mod tables;
pub mod telling;
pub mod text;
pub mod time;
pub mod timing;
pub mod trial;
pub mod unit;
pub mod verdict;
pub mod week;
pub mod when;
pub mod wish;
pub mod world;
