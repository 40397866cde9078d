//! What a column is: how it is called, how a row shows it, and how it puts rows in order.

use crate::{
    model::{snapshot::Process, unit::Unit},
    ui::{
        basis::Basis,
        processes::{
            choices::Form,
            figures::Figures,
            row::{Item, Sight},
        },
    },
};
use std::fmt::Write;

/// How a number is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Show {
    /// With its unit.
    As(Unit),
    /// All its digits.
    Whole,
    /// Cores, as shares of one or of all.
    Cpu,
    /// Bytes per second over the network, with the sign of how sure that is.
    Net,
    /// Milliseconds per second in tens: below that the numbers of idle processes flicker and say nothing. The page of a process has
    /// them all.
    Wait,
}

/// Where the values of a column come from.
#[derive(Clone, Copy)]
pub enum Value {
    /// A number: of a process, and of many together.
    Number(Show, fn(&Process, &Sight<'_>) -> Option<f64>, fn(&Figures, &Sight<'_>) -> Option<f64>),
    /// A text.
    Text(fn(&Item<'_>, &Sight<'_>, &mut String)),
}

/// Whether a column is shown when nobody asks for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Worth {
    /// Always.
    Always,
    /// Where there is room: the least number first.
    Room(u8),
    /// As [`Worth::Room`], where any process has such a number.
    Known(u8),
    /// In the tree of control groups, where there is room.
    Cgroups(u8),
    /// In trees of groups, where there is room.
    Groups(u8),
    /// Only if asked for.
    Asked,
}

impl Worth {
    /// Its place in the queue for room in a form; `None` if it does not stand there.
    pub fn rank(self, form: Form) -> Option<u8> {
        match self {
            Worth::Always => Some(0),
            Worth::Room(rank) | Worth::Known(rank) => Some(rank),
            Worth::Cgroups(rank) if form == Form::Cgroups => Some(rank),
            Worth::Groups(rank) if matches!(form, Form::Cgroups | Form::Programs) => Some(rank),
            Worth::Cgroups(_) | Worth::Groups(_) | Worth::Asked => None,
        }
    }
}

/// A column.
#[derive(Clone, Copy)]
pub struct Column {
    /// Its name in menus, in commands and in what is kept.
    pub name: &'static str,
    /// Its head, where that is not its name.
    pub head: &'static str,
    /// A line about it.
    pub help: &'static str,
    /// Columns of the screen.
    pub width: u16,
    /// Whether it is shown when nobody asks for it.
    pub worth: Worth,
    /// From here on a value deserves attention.
    pub notable: f64,
    /// Where its values come from.
    pub value: Value,
}

/// A number of a process.
type OfProcess = fn(&Process, &Sight<'_>) -> Option<f64>;

/// A number of a sum of processes or of a control group.
type OfFigures = fn(&Figures, &Sight<'_>) -> Option<f64>;

impl Column {
    /// A number.
    pub const fn number(name: &'static str, (width, worth): (u16, Worth), show: Show, of: (OfProcess, OfFigures)) -> Column {
        Column { name, head: name, help: "", width, worth, notable: f64::INFINITY, value: Value::Number(show, of.0, of.1) }
    }

    /// A text.
    pub const fn text(name: &'static str, (width, worth): (u16, Worth), of: fn(&Item<'_>, &Sight<'_>, &mut String)) -> Column {
        Column { name, head: name, help: "", width, worth, notable: f64::INFINITY, value: Value::Text(of) }
    }

    /// With a line about it.
    pub const fn help(self, help: &'static str) -> Column {
        Column { help, ..self }
    }

    /// With another head.
    pub const fn head(self, head: &'static str) -> Column {
        Column { head, ..self }
    }

    /// With a value from which on it deserves attention.
    pub const fn notable(self, notable: f64) -> Column {
        Column { notable, ..self }
    }

    /// The head with its basis.
    pub fn title(&self, basis: Basis) -> &'static str {
        match (self.value, basis) {
            (Value::Number(Show::Cpu, ..), Basis::Machine) => "cpu/host",
            _ => self.head,
        }
    }

    /// Numbers stand at the right.
    pub fn is_number(&self) -> bool {
        matches!(self.value, Value::Number(..))
    }

    /// The number of a row.
    pub fn of(&self, item: &Item<'_>, sight: &Sight<'_>) -> Option<f64> {
        let Value::Number(_, process, group) = self.value else { return None };
        match item {
            Item::Process(p) => process(p, sight),
            Item::Program(_, figures) | Item::Cgroup(_, figures, _) => group(figures, sight),
        }
    }

    /// Writes the cell of a row; true if it deserves attention.
    pub fn write(&self, item: &Item<'_>, sight: &Sight<'_>, out: &mut String) -> bool {
        let show = match self.value {
            Value::Text(write) => {
                write(item, sight, out);
                return false;
            }
            Value::Number(show, ..) => show,
        };
        let Some(value) = self.of(item, sight) else {
            // What a group has no number of is left empty; what could be known and is not has a sign.
            if matches!(item, Item::Process(_)) != matches!(self.worth, Worth::Cgroups(_) | Worth::Groups(_)) {
                out.push('-');
            }
            return false;
        };
        if value.is_infinite() {
            out.push_str("none");
            return false;
        }
        // Writing into memory cannot fail.
        let _never = match show {
            Show::Cpu => Write::write_str(out, &sight.basis.of_process(value, sight.facts.cpus as usize)),
            Show::As(unit) => Write::write_str(out, &unit.show(value)),
            Show::Net => write!(out, "{}{}", Unit::BytesPerSecond.show(value), net_sign(item)),
            Show::Whole => write!(out, "{value:.0}"),
            Show::Wait => write!(out, "{:.0} ms/s", hundredths(value) * 1000.0),
        };
        value >= self.notable
    }

    /// The number by which a row stands in order, greatest first. Shares of time count in the hundredths that are shown, so that rows
    /// which look alike do not change places.
    pub fn rank(&self, item: &Item<'_>, sight: &Sight<'_>) -> Option<f64> {
        let value = self.of(item, sight)?;
        match self.value {
            Value::Number(Show::Cpu | Show::Wait, ..) => Some(hundredths(value)),
            _ => Some(value),
        }
    }

    /// Identities begin with the first, amounts with the most.
    pub fn begins_with_least(&self) -> bool {
        matches!(self.name, "pid" | "ppid" | "session" | "nice") || !self.is_number()
    }
}

/// How sure the traffic of a row is.
fn net_sign(item: &Item<'_>) -> &'static str {
    let net = match item {
        Item::Process(p) => p.net,
        Item::Program(_, figures) | Item::Cgroup(_, figures, _) => figures.net,
    };
    net.map_or("", |net| net.mark.sign())
}

fn hundredths(share: f64) -> f64 {
    (share * 100.0).round() / 100.0
}
