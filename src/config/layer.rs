//! Layers: files as they are read, named as they are shown.

use crate::config::complaint::{Complaint, Complaints};
use std::{
    io::ErrorKind,
    path::{Path, PathBuf},
};

/// The text of one configuration file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Layer {
    /// Name shown in complaints: its path.
    pub name: String,
    /// Its text.
    pub text: String,
}

/// Reads the layers. A file of `usual` may be missing; one that was `asked` for may not.
pub fn read(usual: &[PathBuf], asked: Option<&Path>) -> Result<Vec<Layer>, Complaints> {
    let mut layers = Vec::new();
    let mut complaints = Vec::new();
    let files = usual.iter().map(|path| (path.as_path(), true)).chain(asked.map(|path| (path, false)));
    for (path, optional) in files {
        match std::fs::read_to_string(path) {
            Ok(text) => layers.push(Layer { name: path.display().to_string(), text }),
            Err(e) if optional && matches!(e.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => {}
            Err(e) => complaints.push(Complaint { file: path.display().to_string(), at: None, why: e.to_string() }),
        }
    }
    if complaints.is_empty() { Ok(layers) } else { Err(Complaints(complaints)) }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn a_usual_file_may_be_missing_and_an_asked_one_may_not() {
        let dir = tempfile::tempdir().unwrap();
        let missing = dir.path().join("no.ron");
        assert_eq!(read(std::slice::from_ref(&missing), None), Ok(vec![]));
        assert!(read(&[], Some(&missing)).unwrap_err().to_string().contains("no.ron"));
    }
}
