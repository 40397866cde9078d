//! Who is connected: so that nobody takes all places, and everybody sees who else looks on.

use crate::model::role::Role;
use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

/// Connections at a time; one more is told so and closed.
pub const CONNECTIONS: usize = 64;
/// Of these, kept free for root and the engine's own user.
pub const RESERVED: usize = 16;
/// Of any other user.
pub const PER_USER: usize = 16;

/// A connection.
#[derive(Clone, Debug)]
struct Place {
    uid: u32,
    at_home: bool,
    /// How they came and as what, once they watch.
    watcher: Option<(Arc<str>, Role)>,
}

type Places = BTreeMap<u64, Place>;

/// All connections.
#[derive(Clone, Debug, Default)]
pub struct Guests {
    places: Arc<Mutex<Places>>,
}

impl Guests {
    /// A place for one more; `at_home` are root and the engine's own user.
    pub fn admit(&self, uid: u32, at_home: bool) -> Option<Guest> {
        let mut places = self.places();
        let strangers = places.values().filter(|place| !place.at_home).count();
        let same = places.values().filter(|place| place.uid == uid).count();
        let full = places.len() >= CONNECTIONS || (!at_home && (strangers >= CONNECTIONS - RESERVED || same >= PER_USER));
        if full {
            return None;
        }
        let number = places.last_key_value().map_or(0, |(last, _)| last + 1);
        places.insert(number, Place { uid, at_home, watcher: None });
        Some(Guest { number, guests: self.clone() })
    }

    fn places(&self) -> MutexGuard<'_, Places> {
        self.places.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// One's own place, until this is dropped.
#[derive(Debug)]
pub struct Guest {
    number: u64,
    guests: Guests,
}

impl Guest {
    /// They watch from now on.
    pub fn watches(&self, via: Arc<str>, role: Role) {
        if let Some(place) = self.guests.places().get_mut(&self.number) {
            place.watcher = Some((via, role));
        }
    }

    /// Everybody who watches: user, how they came, as what.
    pub fn watchers(&self) -> Vec<(u32, Arc<str>, Role)> {
        let places = self.guests.places();
        places.values().filter_map(|place| place.watcher.clone().map(|(via, role)| (place.uid, via, role))).collect()
    }
}

impl Drop for Guest {
    fn drop(&mut self) {
        self.guests.places().remove(&self.number);
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]
mod tests {
    use super::*;

    #[test]
    fn no_user_takes_all_places_and_root_always_finds_one() {
        let guests = Guests::default();
        let mut held: Vec<Guest> = (0..PER_USER).map(|_| guests.admit(1000, false).unwrap()).collect();
        assert!(guests.admit(1000, false).is_none());
        held.extend((0..CONNECTIONS - RESERVED - PER_USER).map(|i| guests.admit(2000 + i as u32, false).unwrap()));
        assert!(guests.admit(3000, false).is_none(), "what is left is for those at home");
        held.extend((0..RESERVED).map(|_| guests.admit(0, true).unwrap()));
        assert!(guests.admit(0, true).is_none());
        held.pop();
        let root = guests.admit(0, true).unwrap();
        assert_eq!(root.watchers(), []);
        root.watches("ssh".into(), Role::Admin);
        assert_eq!(held[0].watchers(), [(0, "ssh".into(), Role::Admin)]);
        drop(root);
        assert_eq!(held[0].watchers(), []);
    }
}
