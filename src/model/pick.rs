//! Picks: which keys are meant, as operators write them: a metric by its name, and perhaps a pattern of subjects.

use crate::model::{
    metric::{Key, Metric},
    subject::Subject,
};
use std::{fmt, str::FromStr};

/// A pattern of names: `*` is any text, `?` any one character, all else itself.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Pattern(String);

impl Pattern {
    /// The pattern as it was written.
    pub fn new(text: impl Into<String>) -> Pattern {
        Pattern(text.into())
    }

    /// True when all of `text` is meant.
    pub fn fits(&self, text: &str) -> bool {
        let (pattern, text): (Vec<char>, Vec<char>) = (self.0.chars().collect(), text.chars().collect());
        let (mut p, mut t) = (0, 0);
        // Where the last star stood, and what it has swallowed up to.
        let mut star: Option<(usize, usize)> = None;
        while let Some(c) = text.get(t) {
            match pattern.get(p) {
                Some('*') => {
                    star = Some((p, t));
                    p += 1;
                }
                Some(wanted) if *wanted == '?' || wanted == c => (p, t) = (p + 1, t + 1),
                _ => match star {
                    Some((at, swallowed)) => {
                        star = Some((at, swallowed + 1));
                        (p, t) = (at + 1, swallowed + 1);
                    }
                    None => return false,
                },
            }
        }
        pattern.get(p..).unwrap_or_default().iter().all(|c| *c == '*')
    }
}

impl fmt::Display for Pattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A metric, and of which subjects.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pick {
    /// Which number.
    pub metric: Metric,
    /// Of what: `None` is the host where the host has it, otherwise every subject that has it.
    pub subject: Option<Pattern>,
}

impl Pick {
    /// True when `key` is meant; `of_host` says whether the host has the metric.
    pub fn means(&self, key: &Key, of_host: bool) -> bool {
        self.metric == key.metric
            && match &self.subject {
                Some(pattern) => pattern.fits(&key.subject.name()),
                None => !of_host || key.subject == Subject::Host,
            }
    }
}

impl Pick {
    /// The path of the one key that is meant; `None` when a pattern may mean several.
    pub fn path(&self) -> Option<String> {
        match &self.subject {
            None => Some(self.metric.name()),
            Some(Pattern(text)) if text.contains(['*', '?']) => None,
            Some(Pattern(text)) => Some(format!("{}:{text}", self.metric.name())),
        }
    }
}

impl FromStr for Pick {
    type Err = String;

    fn from_str(text: &str) -> Result<Pick, String> {
        let (name, subject) = text.split_once(':').map_or((text, None), |(name, subject)| (name, Some(subject)));
        let metric = Metric::named(name.trim()).ok_or_else(|| unknown(name.trim()))?;
        Ok(Pick { metric, subject: subject.map(|subject| Pattern::new(subject.trim())) })
    }
}

/// That there is no such metric, and which sound like it.
pub fn unknown(name: &str) -> String {
    let all: Vec<String> = Metric::ALL.iter().map(|metric| metric.name()).collect();
    let words: Vec<&str> = name.split('_').filter(|word| word.len() > 2).collect();
    let near: Vec<&str> = all.iter().map(String::as_str).filter(|known| words.iter().any(|word| known.contains(word))).collect();
    let list = if near.is_empty() { all.join(", ") } else { near.join(", ") };
    format!("there is no metric `{name}`; there are {list}")
}

/// Of these values the ones that are picked, in the order of the picks; each once.
pub fn choose(picks: &[Pick], values: Vec<(Key, f64)>) -> Vec<(Key, f64)> {
    let mut chosen = Vec::new();
    let mut rest = values;
    for pick in picks {
        let of_host = rest.iter().chain(&chosen).any(|(key, _)| *key == Key::host(pick.metric));
        let (mut mine, others): (Vec<_>, Vec<_>) = rest.into_iter().partition(|(key, _)| pick.means(key, of_host));
        mine.sort_by(|(a, _), (b, _)| a.cmp(b));
        chosen.append(&mut mine);
        rest = others;
    }
    chosen
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn fits(pattern: &str, text: &str) -> bool {
        Pattern::new(pattern).fits(text)
    }

    #[test]
    fn stars_and_question_marks_stand_for_text() {
        for (pattern, text) in
            [("*", ""), ("vd?", "vda"), ("/var*", "/var/lib"), ("*.service", "/a/b.service"), ("a*b*c", "axxbyybc")]
        {
            assert!(fits(pattern, text), "{pattern} {text}");
        }
        for (pattern, text) in [("", "a"), ("vd?", "vd"), ("/var", "/var/lib"), ("a*b", "a*bc"), ("a*b*c", "acb")] {
            assert!(!fits(pattern, text), "{pattern} {text}");
        }
    }

    proptest! {
        #[test]
        fn a_text_fits_itself_and_itself_with_a_hole(text in "[a-c/.]{0,12}", from in 0..12_usize, to in 0..12_usize) {
            prop_assert!(fits(&text, &text));
            let (from, to) = (from.min(text.len()), to.min(text.len()));
            if from <= to {
                let holed = format!("{}*{}", &text[..from], &text[to..]);
                prop_assert!(fits(&holed, &text));
            }
        }
    }

    #[test]
    fn a_pick_without_a_subject_is_the_hosts_where_it_has_one() {
        let key = |subject, metric| (Key::new(subject, metric), 1.0);
        let values = || {
            vec![
                key(Subject::Cpu(1), Metric::CpuBusy),
                key(Subject::Host, Metric::CpuBusy),
                key(Subject::Disk("vdb".into()), Metric::DiskRead),
                key(Subject::Disk("vda".into()), Metric::DiskRead),
            ]
        };
        let paths = |picks: &str| {
            let picks: Vec<Pick> = picks.split(',').map(|pick| pick.parse().unwrap()).collect();
            choose(&picks, values()).iter().map(|(key, _)| key.path()).collect::<Vec<_>>()
        };
        assert_eq!(paths("disk_read,cpu_busy"), ["disk_read:vda", "disk_read:vdb", "cpu_busy"]);
        assert_eq!(paths("cpu_busy,cpu_busy:*"), ["cpu_busy", "cpu_busy:1"]);
        assert_eq!(paths("disk_read:*b"), ["disk_read:vdb"]);
    }

    #[test]
    fn an_unknown_metric_is_told_with_those_that_sound_like_it() {
        let why = "disk_reads".parse::<Pick>().unwrap_err();
        assert!(why.contains("`disk_reads`") && why.contains("disk_read,") && !why.contains("cpu_busy"), "{why}");
    }
}
