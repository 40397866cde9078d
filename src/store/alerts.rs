//! Alerts over a restart: one small file, replaced whole, so that it is either the old one or the new one. The journal is for changes to
//! the machine; an alert changes nothing, and its file may be lost without harm.

use crate::{
    model::alert::Kept,
    store::{error::StoreError, page},
};
use serde::{Deserialize, Serialize};
use std::path::Path;

/// Its name in the state directory.
pub const FILE: &str = "alerts.json";

/// The form that this trimtab writes.
const FORM: u32 = 1;

/// What stands in the file.
#[derive(Serialize, Deserialize)]
struct Page {
    form: u32,
    alerts: Kept,
}

/// Reads it; nothing where there is none yet.
pub fn load(path: &Path) -> Result<Kept, StoreError> {
    Ok(page::load::<Page>(path, FORM)?.map(|page| page.alerts).unwrap_or_default())
}

/// Puts a new file in its place, durable when this returns.
pub fn save(path: &Path, alerts: &Kept) -> Result<(), StoreError> {
    page::save(path, &Page { form: FORM, alerts: alerts.clone() })
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::indexing_slicing)]
mod tests {
    use super::*;
    use crate::store::error::Trouble;
    use std::{fs, os::unix::fs::PermissionsExt};

    #[test]
    fn what_was_saved_stands_there_and_damage_is_told() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join(FILE);
        assert_eq!(load(&path).unwrap(), Kept::default());
        for newest in [7, 8] {
            let kept = Kept { newest, ..Kept::default() };
            save(&path, &kept).unwrap();
            assert_eq!(load(&path).unwrap(), kept);
        }
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 1);
        let whole = fs::read(&path).unwrap();
        for cut in 0..whole.len() {
            fs::write(&path, &whole[..cut]).unwrap();
            assert_eq!(load(&path).unwrap_err().trouble, Trouble::Damaged);
        }
        fs::write(&path, "{\"form\":2,\"more\":1}").unwrap();
        assert_eq!(load(&path).unwrap_err().trouble, Trouble::Newer);
        assert!(save(&dir.path().join("missing").join(FILE), &Kept::default()).is_err());
    }
}
