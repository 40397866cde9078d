//! Alerts over a restart: one small file, replaced whole, so that it is either the old one or the new one. The journal is for changes to
//! the machine; an alert changes nothing, and its file may be lost without harm.

use crate::{
    model::alert::Kept,
    store::error::{StoreError, Trouble},
};
use serde::{Deserialize, Serialize};
use std::{
    fs::{self, File, OpenOptions},
    io::{ErrorKind, Write},
    os::unix::fs::OpenOptionsExt,
    path::Path,
};

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
    let text = match fs::read(path) {
        Ok(text) => text,
        Err(e) if e.kind() == ErrorKind::NotFound => return Ok(Kept::default()),
        Err(e) => return Err(StoreError::io(path, "read", &e)),
    };
    let strange = |e: serde_json::Error| StoreError::plain(path, Trouble::Damaged, format!("it is not understood: {e}"));
    #[derive(Deserialize)]
    struct Head {
        form: u32,
    }
    let head: Head = serde_json::from_slice(&text).map_err(strange)?;
    if head.form > FORM {
        return Err(StoreError::plain(path, Trouble::Newer, format!("it has form {}, this trimtab knows {FORM}", head.form)));
    }
    serde_json::from_slice::<Page>(&text).map(|page| page.alerts).map_err(strange)
}

/// Puts a new file in its place, durable when this returns.
pub fn save(path: &Path, alerts: &Kept) -> Result<(), StoreError> {
    let failed = |e: std::io::Error| StoreError::io(path, "write", &e);
    let page = Page { form: FORM, alerts: alerts.clone() };
    let text = serde_json::to_vec(&page).map_err(|e| StoreError::plain(path, Trouble::Other, e.to_string()))?;
    let beside = path.with_extension("json.new");
    let mut file = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&beside).map_err(failed)?;
    file.write_all(&text).and_then(|()| file.sync_all()).map_err(failed)?;
    fs::rename(&beside, path).map_err(failed)?;
    path.parent().map_or(Ok(()), |directory| File::open(directory).and_then(|d| d.sync_all())).map_err(failed)
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::indexing_slicing)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;

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
