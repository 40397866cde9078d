//! How forecasts did, over a restart: one small file, replaced whole. It may be lost without harm: then they are new here.

use crate::{
    model::metric::Key,
    store::{error::StoreError, page},
};
use serde::{Deserialize, Serialize};
use std::path::Path;

/// Its name in the state directory.
pub const FILE: &str = "foresight.json";

/// The form that this trimtab writes.
const FORM: u32 = 1;

/// How forecasts of one number and step did. All but `scored` and the widths fade: newer ones count for more.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Tally {
    /// Values that were compared.
    pub scored: u64,
    /// The same, faded.
    pub weight: f64,
    /// Sum of distances to the forecast, in the metric's unit.
    pub error: f64,
    /// Sum of distances to the last value that was known.
    pub naive: f64,
    /// How many fell into the 80 and into the 95 % range.
    pub within: [f64; 2],
    /// By how much the 80 and the 95 % range are stretched, so that they hold what they promise.
    pub stretch: [f64; 2],
}

impl Default for Tally {
    fn default() -> Self {
        Tally { scored: 0, weight: 0.0, error: 0.0, naive: 0.0, within: [0.0; 2], stretch: [1.0; 2] }
    }
}

/// A number, seconds per step of its forecasts, and how those did.
pub type Row = (Key, i64, Tally);

#[derive(Serialize, Deserialize)]
struct Page {
    form: u32,
    rows: Vec<Row>,
}

/// Reads it; nothing where there is none yet.
pub fn load(path: &Path) -> Result<Vec<Row>, StoreError> {
    Ok(page::load::<Page>(path, FORM)?.map(|page| page.rows).unwrap_or_default())
}

/// Puts a new file in its place, durable when this returns.
pub fn save(path: &Path, rows: Vec<Row>) -> Result<(), StoreError> {
    page::save(path, &Page { form: FORM, rows })
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::indexing_slicing)]
mod tests {
    use super::*;
    use crate::{
        model::{metric::Metric, subject::Subject},
        store::error::Trouble,
    };
    use std::fs;

    #[test]
    fn what_was_saved_stands_there_and_damage_is_told() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join(FILE);
        assert_eq!(load(&path).unwrap(), []);
        let key = Key::new(Subject::Filesystem("/".into()), Metric::FilesystemUsed);
        for scored in [7, 8] {
            let rows = vec![(key.clone(), 60, Tally { scored, error: 0.125, ..Tally::default() })];
            save(&path, rows.clone()).unwrap();
            assert_eq!(load(&path).unwrap(), rows);
        }
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 1);
        let whole = fs::read(&path).unwrap();
        let golden = r#"{"form":1,"rows":[[{"subject":{"Filesystem":"/"},"metric":"FilesystemUsed"},60,{"scored":8,"weight":0.0,"error":0.125,"naive":0.0,"within":[0.0,0.0],"stretch":[1.0,1.0]}]]}"#;
        assert_eq!(String::from_utf8(whole.clone()).unwrap(), golden, "the form has changed: raise FORM");
        for cut in 0..whole.len() {
            fs::write(&path, &whole[..cut]).unwrap();
            assert_eq!(load(&path).unwrap_err().trouble, Trouble::Damaged);
        }
        fs::write(&path, "{\"form\":2,\"more\":1}").unwrap();
        assert_eq!(load(&path).unwrap_err().trouble, Trouble::Newer);
        assert!(save(&dir.path().join("missing").join(FILE), Vec::new()).is_err());
    }
}
