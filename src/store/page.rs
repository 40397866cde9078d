//! A small file of one kind of thing, replaced whole, so that it is either the old one or the new one.

use crate::store::error::{StoreError, Trouble};
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use std::{
    fs::{self, File, OpenOptions},
    io::{ErrorKind, Write},
    os::unix::fs::OpenOptionsExt,
    path::Path,
};

/// Reads it in the forms up to `form`; nothing where there is none yet.
pub fn load<T: DeserializeOwned>(path: &Path, form: u32) -> Result<Option<T>, StoreError> {
    let text = match fs::read(path) {
        Ok(text) => text,
        Err(e) if e.kind() == ErrorKind::NotFound => return Ok(None),
        Err(e) => return Err(StoreError::io(path, "read", &e)),
    };
    let strange = |e: serde_json::Error| StoreError::plain(path, Trouble::Damaged, format!("it is not understood: {e}"));
    #[derive(Deserialize)]
    struct Head {
        form: u32,
    }
    let head: Head = serde_json::from_slice(&text).map_err(strange)?;
    if head.form > form {
        return Err(StoreError::plain(path, Trouble::Newer, format!("it has form {}, this trimtab knows {form}", head.form)));
    }
    serde_json::from_slice(&text).map(Some).map_err(strange)
}

/// Puts a new file in its place, durable when this returns.
pub fn save(path: &Path, page: &impl Serialize) -> Result<(), StoreError> {
    let failed = |e: std::io::Error| StoreError::io(path, "write", &e);
    let text = serde_json::to_vec(page).map_err(|e| StoreError::plain(path, Trouble::Other, e.to_string()))?;
    let beside = path.with_extension("json.new");
    let mut file = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&beside).map_err(failed)?;
    file.write_all(&text).and_then(|()| file.sync_all()).map_err(failed)?;
    fs::rename(&beside, path).map_err(failed)?;
    path.parent().map_or(Ok(()), |directory| File::open(directory).and_then(|d| d.sync_all())).map_err(failed)
}
