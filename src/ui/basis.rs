//! Of what a share of processor time is: of the machine or of one core. People come from tools that do it one way or the other, so that
//! it is a choice, and it is always printed which one holds.

use crate::model::unit::Unit;

/// What 100 % is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Basis {
    /// The machine for the host's own numbers, one core for those of a process: what top and htop do.
    #[default]
    Usual,
    /// One core: two busy cores are 200 %.
    Core,
    /// All processors together.
    Machine,
}

impl Basis {
    /// The next one in the ring.
    pub fn next(self) -> Basis {
        match self {
            Basis::Usual => Basis::Core,
            Basis::Core => Basis::Machine,
            Basis::Machine => Basis::Usual,
        }
    }

    /// In words, for the operator who just chose it.
    pub fn words(self) -> &'static str {
        match self {
            Basis::Usual => "cpu: the host in shares of the machine, processes of one core",
            Basis::Core => "cpu: everything in shares of one core",
            Basis::Machine => "cpu: everything in shares of the machine",
        }
    }

    /// A share of the whole machine, of so many processors, as this basis shows it.
    pub fn of_host(self, share: f64, cpus: usize) -> String {
        match self {
            Basis::Core => Unit::Cores.show(share * cpus.max(1) as f64),
            Basis::Usual | Basis::Machine => Unit::Share.show(share),
        }
    }

    /// Processor time of a process in cores, as this basis shows it.
    pub fn of_process(self, cores: f64, cpus: usize) -> String {
        match self {
            Basis::Machine => Unit::Share.show(cores / cpus.max(1) as f64),
            Basis::Usual | Basis::Core => Unit::Cores.show(cores),
        }
    }

    /// What stands between the host's number and the number of processors: of one of them, or of all.
    pub fn host_head(self) -> &'static str {
        match self {
            Basis::Core => "of one of",
            Basis::Usual | Basis::Machine => "of all",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_busy_cores_of_eight_are_a_quarter_of_the_machine_or_two_of_one_core() {
        let shown = |basis: Basis| (basis.of_host(0.25, 8), basis.of_process(2.0, 8));
        assert_eq!(shown(Basis::Usual), ("25.0 %".into(), "200 %".into()));
        assert_eq!(shown(Basis::Core), ("200 %".into(), "200 %".into()));
        assert_eq!(shown(Basis::Machine), ("25.0 %".into(), "25.0 %".into()));
        assert_eq!(Basis::Usual.next().next().next(), Basis::Usual);
    }
}
