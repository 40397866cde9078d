//! Puts entries in order: by a column, or, while the operator moves among them, as they stood before.

use crate::ui::processes::{
    choices::Way,
    column::Column,
    row::{Item, Sight},
};
use std::cmp::Ordering;

/// What an entry is put in order by.
#[derive(Clone, Copy, Debug)]
struct Key {
    /// Where it stood before, if that is to hold; `u32::MAX` for one that is new.
    held: u32,
    /// Groups before processes.
    class: u8,
    /// The less, the earlier; what is not known comes last.
    number: f64,
    /// Decides where the number does not.
    second: f64,
    /// Place of its text in [`Order::text`].
    text: (u32, u32),
    /// Which entry; decides in the end.
    at: u32,
}

/// Memory of the sorting, used again and again.
#[derive(Clone, Debug, Default)]
pub struct Order {
    keys: Vec<Key>,
    text: String,
    /// Entries in order.
    pub sorted: Vec<u32>,
}

impl Order {
    /// Forgets the entries.
    pub fn clear(&mut self) {
        self.keys.clear();
        self.text.clear();
    }

    /// Adds entry `at`, which is about `item` and stood at `held`.
    pub fn add(&mut self, at: u32, item: &Item<'_>, held: Option<u32>, (column, way): (&Column, Way), sight: &Sight<'_>) {
        let (mut number, mut text, mut second) = (0.0, (0, 0), 0.0);
        if column.is_number() {
            let descending = column.begins_with_least() == (way == Way::Inverted);
            let sign = if descending { -1.0 } else { 1.0 };
            number = column.rank(item, sight).map_or(f64::INFINITY, |value| value * sign);
        } else {
            let from = self.text.len();
            column.write(item, sight, &mut self.text);
            if let Some(new) = self.text.get_mut(from..) {
                new.make_ascii_lowercase();
            }
            text = (from as u32, self.text.len() as u32);
        }
        if let (Item::Process(p), "cpu") = (item, column.name) {
            second = -(p.resident as f64);
        }
        let class = u8::from(matches!(item, Item::Process(_)));
        self.keys.push(Key { held: held.unwrap_or(u32::MAX), class, number, second, text, at });
    }

    /// Puts them in order.
    pub fn sort(&mut self, column: &Column, way: Way) {
        let text = &self.text;
        let part = |(from, to): (u32, u32)| text.get(from as usize..to as usize).unwrap_or_default();
        let inverted = !column.is_number() && way == Way::Inverted;
        self.keys.sort_unstable_by(|a, b| {
            let texts = if column.is_number() { Ordering::Equal } else { part(a.text).cmp(part(b.text)) };
            (a.held, a.class)
                .cmp(&(b.held, b.class))
                .then(a.number.total_cmp(&b.number))
                .then(if inverted { texts.reverse() } else { texts })
                .then(a.second.total_cmp(&b.second))
                .then(a.at.cmp(&b.at))
        });
        self.sorted.clear();
        self.sorted.extend(self.keys.iter().map(|key| key.at));
    }
}
