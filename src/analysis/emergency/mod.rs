//! Emergencies (catalogue E1 to E6): what is seen of each now ([`sight`]), when it has lasted long enough and when it is over
//! ([`vigil`]), and what would be done about it, in which order ([`ladder`]). Pure, and cheap enough for every second of a quiet day.

pub mod ladder;
pub mod sight;
pub mod targets;
pub mod vigil;
