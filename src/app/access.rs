//! Who may come: the names of the configuration as numbers of this host.

use crate::{
    app::failure::Failure,
    config::sections::Access,
    host::host::Host,
    link::doors::Doors,
    model::{knob::Place, role::Role},
};

/// Doors as the configuration wants them, for an engine of user `owner`. A name that this host does not know is an error: who was meant
/// to come could not, and nobody would notice before the night when it matters.
pub fn doors(access: &Access, owner: u32, host: &dyn Host) -> Result<Doors, Failure> {
    let mut doors = Doors::of(owner);
    let lists = [(&access.viewers, Role::Viewer), (&access.operators, Role::Operator), (&access.admins, Role::Admin)];
    for (names, role) in lists {
        for name in names {
            let (kind, known) = match (name.as_str(), name.strip_prefix('@')) {
                ("*", _) => {
                    doors.everybody = doors.everybody.max(Some(role));
                    continue;
                }
                (_, Some(group)) => ("group", number(host, "group", group).map(|gid| doors.groups.entry(gid))),
                (user, None) => ("user", number(host, "passwd", user).map(|uid| doors.users.entry(uid))),
            };
            let place = known.ok_or_else(|| {
                let why = format!("access: there is no {kind} {name} in /etc/{}", if kind == "user" { "passwd" } else { "group" });
                Failure::usage(format!("{why}; name one that there is, or its number"))
            })?;
            let held = place.or_insert(role);
            *held = role.max(*held);
        }
    }
    Ok(doors)
}

/// The number of a name in `/etc/passwd` or `/etc/group` (passwd(5), group(5): name, password, number). A number stands for itself, for
/// accounts that a directory service knows.
fn number(host: &dyn Host, file: &str, name: &str) -> Option<u32> {
    if let Ok(number) = name.parse() {
        return Some(number);
    }
    let text = host.text(&Place::etc(file)).ok()?;
    let mut lines = text.lines().map(|line| line.split(':'));
    lines.find_map(|mut fields| (fields.next() == Some(name)).then(|| fields.nth(1)?.parse().ok()).flatten())
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]
mod tests {
    use super::*;
    use crate::host::recorded::RecordedHost;

    #[test]
    fn names_are_numbers_of_this_host_and_strangers_are_told() {
        let host = RecordedHost::default();
        host.put("/etc/passwd", "root:x:0:0::/root:/bin/sh\nann:x:1000:1000::/:/bin/sh\n");
        host.put("/etc/group", "sudo:x:27:ann\nops:x:50:\n");
        let names = |all: &[&str]| all.iter().map(|name| (*name).to_string()).collect::<Vec<_>>();
        let access =
            Access { viewers: names(&["*", "ann"]), operators: names(&["@ops", "1234"]), admins: names(&["@sudo", "ann"]) };
        let doors = doors(&access, 0, &host).unwrap();
        assert_eq!(doors.role(1000, &[]), Some(Role::Admin), "the higher of two");
        assert_eq!((doors.role(1234, &[]), doors.role(7, &[50])), (Some(Role::Operator), Some(Role::Operator)));
        assert_eq!(doors.role(7, &[]), Some(Role::Viewer));
        let missing = Access { admins: names(&["@nobodies"]), ..Access::default() };
        let why = super::doors(&missing, 0, &host).unwrap_err().why;
        assert!(why.contains("no group @nobodies in /etc/group"), "{why}");
    }
}
