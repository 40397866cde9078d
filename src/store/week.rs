//! The host's week over a restart: one small file, replaced whole. It may be lost without harm: then it is learned again.

use crate::{
    model::week::Week,
    store::{error::StoreError, page},
};
use serde::{Deserialize, Serialize};
use std::path::Path;

/// Its name in the state directory.
pub const FILE: &str = "week.json";

/// The form that this trimtab writes.
const FORM: u32 = 1;

#[derive(Serialize, Deserialize)]
struct Page {
    form: u32,
    hours: Week,
}

/// Reads it; `None` where there is none yet.
pub fn load(path: &Path) -> Result<Option<Week>, StoreError> {
    Ok(page::load::<Page>(path, FORM)?.map(|page| page.hours))
}

/// Puts a new file in its place, durable when this returns.
pub fn save(path: &Path, week: &Week) -> Result<(), StoreError> {
    page::save(path, &Page { form: FORM, hours: week.clone() })
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::indexing_slicing)]
mod tests {
    use super::*;
    use crate::{
        model::{time::Wall, week::Hour},
        store::error::Trouble,
    };

    #[test]
    fn what_was_saved_stands_there_and_damage_is_told() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join(FILE);
        assert_eq!(load(&path).unwrap(), None);
        let mut week = Week::default();
        week.0[3] = Some(Hour { busy: 0.25, served: None, at: Wall(7) });
        save(&path, &week).unwrap();
        assert_eq!(load(&path).unwrap(), Some(week));
        let text = std::fs::read_to_string(&path).unwrap();
        assert!(text.starts_with(r#"{"form":1,"hours":[null,null,null,{"busy":0.25,"served":null,"at":7},null"#), "{text}");
        std::fs::write(&path, &text[..40]).unwrap();
        assert_eq!(load(&path).unwrap_err().trouble, Trouble::Damaged);
    }
}
