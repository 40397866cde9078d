//! The doctor's line on the judge: how often it cried wolf when nothing was done, from the notes in the journal.

use crate::{
    analysis::impact::trust::Record,
    model::{
        change::{ChangeId, Deed},
        note::Note,
    },
    store::journal::{self, Journal},
};
use std::path::Path;

/// The line; `directory` is the state directory.
pub fn line(directory: &Path) -> String {
    let file = directory.join(journal::FILE);
    if !file.exists() {
        return "no self-test yet".into();
    }
    let notes = match Journal::join(&file).and_then(|journal| journal.of(ChangeId::HOUSE)) {
        Ok(notes) => notes,
        Err(e) => return e.to_string(),
    };
    let mut record = Record::default();
    for (_, entry) in notes {
        if let Deed::Noted(note) = entry.deed
            && let Note::Tested { outcome, .. } = *note
        {
            record.take(outcome);
        }
    }
    record.trust().map_or_else(|| "no self-test yet".into(), |trust| trust.words())
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::model::{
        change::{Entry, Who},
        metric::{Key, Metric},
        time::Now,
        verdict::Outcome,
    };

    #[test]
    fn the_line_counts_the_self_tests_of_the_journal() {
        let dir = tempfile::tempdir().unwrap();
        assert_eq!(line(dir.path()), "no self-test yet");
        let mut journal = Journal::open(&dir.path().join(journal::FILE), Now::default()).unwrap().journal;
        assert_eq!(line(dir.path()), "no self-test yet");
        let entry = |outcome| {
            let deed = Deed::Noted(Box::new(Note::Tested { key: Key::host(Metric::PressureCpuSome), outcome }));
            Entry { change: ChangeId::HOUSE, deed, who: Who::Engine, now: Now::default(), boot: String::new() }
        };
        journal.append(&[entry(Outcome::Neutral), entry(Outcome::Worse)]).unwrap();
        assert_eq!(line(dir.path()), "1 false alarm in 2 self-tests");
        journal.append(&[entry(Outcome::Worse), entry(Outcome::Better)]).unwrap();
        assert!(line(dir.path()).contains("3 false alarms in 4 self-tests: verdicts are not believed"));
    }
}
