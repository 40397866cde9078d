//! Roles: what an operator may ask of an engine. A role holds all that a lesser one does.

use crate::model::{
    limits::Mode,
    message::{Ask, Command},
};
use serde::{Deserialize, Serialize};

/// What one may ask.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Role {
    /// Looks.
    #[default]
    Viewer,
    /// Approves, applies, keeps, rolls back.
    Operator,
    /// Lets the engine act by itself.
    Admin,
}

impl Role {
    /// Its name.
    pub fn words(self) -> &'static str {
        match self {
            Role::Viewer => "viewer",
            Role::Operator => "operator",
            Role::Admin => "admin",
        }
    }

    /// The least role that may give a command. To hold the engine back takes less than to let it go.
    pub fn least(command: &Command) -> Role {
        match command {
            Command::SetMode(Mode::Auto) => Role::Admin,
            _ => Role::Operator,
        }
    }

    /// The least role that may ask that. A close look tells what other users' processes hold; a snapshot is written as the engine's user.
    pub fn asking(ask: &Ask) -> Role {
        match ask {
            Ask::Do(command) => Role::least(command),
            Ask::Inspect(_) => Role::Operator,
            Ask::WriteSnapshot { .. } => Role::Admin,
            _ => Role::Viewer,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn letting_go_of_the_wheel_takes_more_than_taking_it() {
        assert_eq!(Role::least(&Command::SetMode(Mode::Auto)), Role::Admin);
        assert_eq!(Role::least(&Command::SetMode(Mode::Observe)), Role::Operator);
        assert_eq!(Role::least(&Command::RollBackAll), Role::Operator);
        assert!(Role::Viewer < Role::Operator && Role::Operator < Role::Admin);
        assert_eq!(Role::asking(&Ask::View), Role::Viewer);
        assert_eq!(Role::asking(&Ask::Do(Command::RollBackAll)), Role::Operator);
    }
}
