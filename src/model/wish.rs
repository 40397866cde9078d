//! Wishes: changes that an operator asks for by hand, about the processes under the cursor or marked. They go the way of every other
//! change (journal, guard, read-back, undo where there is one) but answer no finding and are judged by nothing.

use crate::model::{proposal::Risk, subject::ProcessId};
use serde::{Deserialize, Serialize};

/// Processes that one wish may be about.
pub const MOST: usize = 256;

macro_rules! signals {
    ($($name:ident $text:literal $risk:ident $help:literal;)*) => {
        /// A signal (signal(7)) that an operator may send. Those that only a program sends to itself are left out.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
        #[allow(missing_docs)] // each is explained by `help`
        pub enum Signal { $($name,)* }

        impl Signal {
            /// Every one, in the order of the menu.
            pub const ALL: &'static [Signal] = &[$(Signal::$name,)*];

            /// Its name as `kill -l` has it.
            pub fn name(self) -> &'static str {
                match self { $(Signal::$name => $text,)* }
            }

            /// What it does unless the program says otherwise.
            pub fn help(self) -> &'static str {
                match self { $(Signal::$name => $help,)* }
            }

            /// How much can go wrong: a signal is never undone.
            pub fn risk(self) -> Risk {
                match self { $(Signal::$name => Risk::$risk,)* }
            }
        }
    };
}

signals! {
    Term "TERM" Medium "asks to end; programs may clean up first";
    Int "INT" Medium "as Ctrl-C: asks to end what runs in front";
    Hup "HUP" Medium "many daemons read their configuration anew; others end";
    Quit "QUIT" High "ends with a core dump; Java prints its threads instead";
    Kill "KILL" High "ends at once, nothing is cleaned up or saved";
    Stop "STOP" Medium "holds it still until CONT";
    Cont "CONT" Medium "lets it go on after STOP";
    Usr1 "USR1" Medium "means what the program says; ends it if it says nothing";
    Usr2 "USR2" Medium "means what the program says; ends it if it says nothing";
}

impl Signal {
    /// The signal of that name, with or without `SIG`.
    pub fn named(name: &str) -> Option<Signal> {
        let name = name.strip_prefix("SIG").unwrap_or(name);
        Signal::ALL.iter().copied().find(|signal| signal.name() == name)
    }
}

/// What is wished.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Wish {
    /// Nice of every thread of these processes, -20 to 19.
    Nice {
        /// Of whom.
        processes: Vec<ProcessId>,
        /// The value.
        to: i8,
    },
    /// A signal to these processes.
    Signal {
        /// To whom.
        processes: Vec<ProcessId>,
        /// Which.
        signal: Signal,
    },
}

impl Wish {
    /// The processes that it is about.
    pub fn processes(&self) -> &[ProcessId] {
        match self {
            Wish::Nice { processes, .. } | Wish::Signal { processes, .. } => processes,
        }
    }

    /// How much can go wrong.
    pub fn risk(&self) -> Risk {
        match self {
            Wish::Nice { .. } => Risk::Low,
            Wish::Signal { signal, .. } => signal.risk(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_signal_is_found_by_either_name() {
        for signal in Signal::ALL {
            assert_eq!(Signal::named(signal.name()), Some(*signal));
            assert_eq!(Signal::named(&format!("SIG{}", signal.name())), Some(*signal));
        }
        assert_eq!(Signal::named("SEGV"), None);
    }
}
