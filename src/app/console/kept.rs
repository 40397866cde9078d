//! What an operator chose on the screen, from one console to the next: columns, order and form of the table of processes, theme, layout.
//!
//! One small RON file in the state directory of the XDG base directory specification; the configuration is never written. It is written
//! when the console ends, and only if something was chosen. A file that cannot be read is as good as none, one that cannot be written
//! (a read-only filesystem) is worth a line in the log, at the beginning.

use crate::ui::processes::choices::Choices;
use rustix::fs::{Access, access};
use serde::{Deserialize, Serialize};
use std::{
    fs,
    io::{self, Write},
    path::{Path, PathBuf},
};

/// Version of the file. Another one is as good as none.
const VERSION: u32 = 1;

/// A longer file is not ours.
const MOST: u64 = 64 << 10;

/// What was chosen. A name that is empty was not.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Chosen {
    /// The table of processes.
    pub processes: Choices,
    /// Name of the theme.
    pub theme: String,
    /// Name of the layout.
    pub layout: String,
}

/// The file.
#[derive(Serialize, Deserialize)]
struct File {
    version: u32,
    #[serde(default)]
    processes: Choices,
    #[serde(default)]
    theme: String,
    #[serde(default)]
    layout: String,
}

/// The choices, and where they are kept.
#[derive(Debug)]
pub struct Kept {
    path: Option<PathBuf>,
    before: Chosen,
}

impl Kept {
    /// Reads what was kept at `path`; `None` keeps nothing. That nothing will be kept is said now, while somebody can read it.
    pub fn open(path: Option<PathBuf>) -> Kept {
        let before = path.as_deref().map(read).unwrap_or_default();
        if let Some((path, Err(e))) = path.as_deref().map(|path| (path, may_write(path))) {
            log::warn!("{}: {e}: what is chosen on the screen will not be kept", path.display());
        }
        Kept { path, before }
    }

    /// What was kept.
    pub fn chosen(&self) -> &Chosen {
        &self.before
    }

    /// Keeps these from now on.
    pub fn keep(&mut self, now: &Chosen) {
        let Some(path) = self.path.as_deref().filter(|_| *now != self.before) else { return };
        match write(path, now) {
            Ok(()) => self.before = now.clone(),
            Err(e) => log::warn!("{}: {e}: what was chosen on the screen is not kept", path.display()),
        }
    }
}

/// Asked of the nearest directory that there is, without writing anything.
fn may_write(path: &Path) -> rustix::io::Result<()> {
    let nearest = path.ancestors().skip(1).find(|directory| directory.exists()).unwrap_or(path);
    access(nearest, Access::WRITE_OK)
}

fn read(path: &Path) -> Chosen {
    let text = match fs::metadata(path) {
        Ok(about) if about.is_file() && about.len() <= MOST => fs::read_to_string(path),
        Ok(_) => Err(io::Error::other("no file of this program")),
        Err(e) if e.kind() == io::ErrorKind::NotFound => return Chosen::default(),
        Err(e) => Err(e),
    };
    let file = text.map_err(|e| e.to_string()).and_then(|text| ron::from_str::<File>(&text).map_err(|e| e.to_string()));
    match file {
        Ok(File { version: VERSION, processes, theme, layout }) => Chosen { processes, theme, layout },
        Ok(file) => {
            log::info!("{}: version {} is not {VERSION}: the screen begins as usual", path.display(), file.version);
            Chosen::default()
        }
        Err(e) => {
            log::warn!("{}: {e}: the screen begins as usual", path.display());
            Chosen::default()
        }
    }
}

/// Beside the old file first, so that there is always a whole one.
fn write(path: &Path, chosen: &Chosen) -> io::Result<()> {
    let Chosen { processes, theme, layout } = chosen.clone();
    let file = File { version: VERSION, processes, theme, layout };
    let text = ron::ser::to_string_pretty(&file, ron::ser::PrettyConfig::default()).map_err(io::Error::other)?;
    if let Some(directory) = path.parent() {
        fs::create_dir_all(directory)?;
    }
    let fresh = path.with_extension(std::process::id().to_string());
    let mut out = fs::File::create(&fresh)?;
    let written = out.write_all(text.as_bytes()).and_then(|()| fs::rename(&fresh, path));
    if written.is_err() {
        // What is half written is of no use; if it cannot be removed either, the next one overwrites it.
        let _left = fs::remove_file(&fresh);
    }
    written
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::ui::processes::choices::{Form, Way};

    fn chosen() -> Chosen {
        let processes = Choices {
            form: Form::Cgroups,
            sort: "write".into(),
            way: Way::Inverted,
            hidden: vec!["user".into()],
            ..Choices::default()
        };
        Chosen { processes, theme: "dark".into(), layout: "disks".into() }
    }

    #[test]
    fn what_was_chosen_is_there_the_next_time() {
        let room = tempfile::tempdir().unwrap();
        let path = room.path().join("a/b/console.ron");
        let mut kept = Kept::open(Some(path.clone()));
        kept.keep(&Chosen::default());
        assert!(!path.exists(), "nothing was chosen, nothing is written");
        kept.keep(&chosen());
        assert_eq!(*Kept::open(Some(path.clone())).chosen(), chosen());
        assert_eq!(fs::read_dir(path.parent().unwrap()).unwrap().count(), 1);
    }

    #[test]
    fn damage_other_versions_and_strange_fields_are_no_trouble() {
        let room = tempfile::tempdir().unwrap();
        let path = room.path().join("console.ron");
        let read_back = |text: &str| {
            fs::write(&path, text).unwrap();
            read(&path)
        };
        for text in
            ["", "\0\u{fffd}", "(version: 2)", "(version: 1, processes: (form: Hexagons))", "(version: 1, processes: (sort:"]
        {
            assert_eq!(read_back(text), Chosen::default(), "{text}");
        }
        let strange = "(version: 1, panes: [1], processes: (sort: \"pid\", colour: \"red\"))";
        assert_eq!(read_back(strange).processes, Choices { sort: "pid".into(), ..Choices::default() });
        assert_eq!(read(room.path()), Chosen::default(), "a directory is no file");
    }

    #[test]
    fn where_nothing_can_be_written_nothing_is_lost_but_the_choice() {
        let room = tempfile::tempdir().unwrap();
        fs::write(room.path().join("file"), "").unwrap();
        let mut kept = Kept::open(Some(room.path().join("file/console.ron")));
        kept.keep(&chosen());
        assert_eq!(*kept.chosen(), Chosen::default());
    }
}
