//! Who may come to an engine's socket, and as what. Decided by what the kernel says of the other end (unix(7), SO_PEERCRED and
//! SO_PEERGROUPS), never by what it says of itself.

use crate::model::role::Role;
use std::collections::BTreeMap;

/// Roles by user and group. Root and the engine's own user may do everything.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Doors {
    /// The user of the engine.
    pub owner: u32,
    /// Roles of users.
    pub users: BTreeMap<u32, Role>,
    /// Roles of the members of groups.
    pub groups: BTreeMap<u32, Role>,
    /// The role of everybody else, if they may come at all.
    pub everybody: Option<Role>,
}

impl Doors {
    /// Doors for the engine's own user and root alone.
    pub fn of(owner: u32) -> Doors {
        Doors { owner, ..Doors::default() }
    }

    /// True when others than root and the engine's own user may come.
    pub fn are_open(&self) -> bool {
        self.everybody.is_some() || !self.users.is_empty() || !self.groups.is_empty()
    }

    /// The highest role of a user with these groups; `None` where there is none.
    pub fn role(&self, uid: u32, groups: &[u32]) -> Option<Role> {
        if uid == 0 || uid == self.owner {
            return Some(Role::Admin);
        }
        let by_group = groups.iter().filter_map(|gid| self.groups.get(gid)).max();
        self.users.get(&uid).max(by_group).max(self.everybody.as_ref()).copied()
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]
mod tests {
    use super::*;

    #[test]
    fn the_highest_role_counts_and_who_has_none_does_not_come_in() {
        let doors = Doors {
            owner: 900,
            users: BTreeMap::from([(1000, Role::Viewer)]),
            groups: BTreeMap::from([(27, Role::Admin), (50, Role::Operator)]),
            everybody: None,
        };
        assert_eq!((doors.role(0, &[]), doors.role(900, &[])), (Some(Role::Admin), Some(Role::Admin)));
        assert_eq!(doors.role(1000, &[]), Some(Role::Viewer));
        assert_eq!(doors.role(1000, &[4, 50]), Some(Role::Operator), "a group gives more");
        assert_eq!(doors.role(1001, &[50, 27]), Some(Role::Admin));
        assert_eq!(doors.role(1001, &[4]), None);
        assert_eq!(Doors { everybody: Some(Role::Viewer), ..doors }.role(1001, &[4]), Some(Role::Viewer));
        assert!(!Doors::of(0).are_open());
    }
}
