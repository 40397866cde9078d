//! A disk that keeps only what was synced: each file has its present content and its durable one, and what was written in between.
//!
//! When the power goes, every write that was not synced is there or not, whole or torn within a sector, each by itself; names that were
//! made, moved or removed since the directory was synced are back to what they were from some moment on (the order of a journaling file
//! system). A sync that fails drops what it was to write (as Linux does: the pages are clean afterwards, whoever syncs next is not told).

use crate::dice::Dice;
use std::collections::BTreeMap;

/// Bytes that a disk writes at once.
const SECTOR: usize = 512;

#[derive(Clone, Debug)]
enum Write {
    Bytes(usize, Vec<u8>),
    Size(usize),
}

impl Write {
    fn onto(&self, content: &mut Vec<u8>) {
        match self {
            Write::Bytes(at, bytes) => {
                let end = at + bytes.len();
                if content.len() < end {
                    content.resize(end, 0);
                }
                content[*at..end].copy_from_slice(bytes);
            }
            Write::Size(size) => content.resize(*size, 0),
        }
    }
}

#[derive(Clone, Debug, Default)]
struct Inode {
    now: Vec<u8>,
    durable: Vec<u8>,
    pending: Vec<Write>,
}

#[derive(Clone, Debug)]
enum Naming {
    Gave(String, usize),
    Took(String),
    Moved(String, String),
}

impl Naming {
    fn onto(&self, names: &mut BTreeMap<String, usize>) {
        match self {
            Naming::Gave(name, inode) => drop(names.insert(name.clone(), *inode)),
            Naming::Took(name) => drop(names.remove(name)),
            Naming::Moved(from, to) => {
                if let Some(inode) = names.remove(from) {
                    names.insert(to.clone(), inode);
                }
            }
        }
    }
}

/// The files.
#[derive(Clone, Debug, Default)]
pub struct Disk {
    inodes: Vec<Inode>,
    names: BTreeMap<String, usize>,
    durable: BTreeMap<String, usize>,
    naming: Vec<Naming>,
}

impl Disk {
    pub fn find(&self, name: &str) -> Option<usize> {
        self.names.get(name).copied()
    }

    pub fn make(&mut self, name: &str) -> usize {
        self.inodes.push(Inode::default());
        let inode = self.inodes.len() - 1;
        self.rename_step(Naming::Gave(name.into(), inode));
        inode
    }

    /// A file without a name.
    pub fn scratch(&mut self) -> usize {
        self.inodes.push(Inode::default());
        self.inodes.len() - 1
    }

    pub fn remove(&mut self, name: &str) -> bool {
        let there = self.names.contains_key(name);
        if there {
            self.rename_step(Naming::Took(name.into()));
        }
        there
    }

    pub fn rename(&mut self, from: &str, to: &str) -> bool {
        let there = self.names.contains_key(from);
        if there {
            self.rename_step(Naming::Moved(from.into(), to.into()));
        }
        there
    }

    fn rename_step(&mut self, step: Naming) {
        step.onto(&mut self.names);
        self.naming.push(step);
    }

    pub fn sync_names(&mut self) {
        self.naming.clear();
        self.durable.clone_from(&self.names);
    }

    pub fn size(&self, inode: usize) -> usize {
        self.inodes[inode].now.len()
    }

    /// Copies what is there; how many bytes that were.
    pub fn read(&self, inode: usize, at: usize, into: &mut [u8]) -> usize {
        let content = &self.inodes[inode].now;
        let from = content.get(at..).unwrap_or_default();
        let count = from.len().min(into.len());
        into[..count].copy_from_slice(&from[..count]);
        count
    }

    pub fn write(&mut self, inode: usize, at: usize, bytes: &[u8]) {
        self.step(inode, Write::Bytes(at, bytes.to_vec()));
    }

    pub fn truncate(&mut self, inode: usize, size: usize) {
        self.step(inode, Write::Size(size));
    }

    fn step(&mut self, inode: usize, write: Write) {
        let file = &mut self.inodes[inode];
        write.onto(&mut file.now);
        file.pending.push(write);
    }

    pub fn sync(&mut self, inode: usize) {
        let file = &mut self.inodes[inode];
        for write in file.pending.drain(..) {
            write.onto(&mut file.durable);
        }
    }

    /// A sync that failed: some of it may be on the disk, the rest never will.
    pub fn lose(&mut self, inode: usize, dice: &mut Dice) {
        let file = &mut self.inodes[inode];
        for write in std::mem::take(&mut file.pending) {
            if dice.one_in(2) {
                write.onto(&mut file.durable);
            }
        }
    }

    /// Everything that a name leads to is durable.
    pub fn is_synced(&self) -> bool {
        self.naming.is_empty() && self.names.values().all(|inode| self.inodes[*inode].pending.is_empty())
    }

    /// What the disk would hold if nothing came to it that was not synced.
    pub fn durable(&self) -> Disk {
        let mut only = self.clone();
        only.naming.clear();
        only.names.clone_from(&self.durable);
        for file in &mut only.inodes {
            file.pending.clear();
            file.now.clone_from(&file.durable);
        }
        only
    }

    /// The power goes.
    pub fn fail(&mut self, dice: &mut Dice) {
        let kept = dice.below(self.naming.len() as u64 + 1) as usize;
        for step in self.naming.drain(..).take(kept) {
            step.onto(&mut self.durable);
        }
        self.names.clone_from(&self.durable);
        // None, some or all of what was not synced.
        let odds = [0, 1, 2, 4][dice.below(4) as usize];
        for file in &mut self.inodes {
            for write in std::mem::take(&mut file.pending) {
                if dice.below(4) < odds {
                    torn(write, dice).onto(&mut file.durable);
                }
            }
            file.now.clone_from(&file.durable);
        }
    }
}

/// A write of which maybe only some sectors reached the disk.
fn torn(write: Write, dice: &mut Dice) -> Write {
    match write {
        Write::Bytes(at, mut bytes) if dice.one_in(3) => {
            let sectors = bytes.len().div_ceil(SECTOR);
            bytes.truncate(SECTOR * dice.below(sectors as u64 + 1) as usize);
            Write::Bytes(at, bytes)
        }
        whole => whole,
    }
}

#[test]
fn what_was_not_synced_may_be_lost_and_what_was_is_not() {
    let (mut lost, mut kept) = (0, 0);
    for seed in 0..200 {
        let mut dice = Dice::new(seed);
        let mut disk = Disk::default();
        let file = disk.make("a");
        disk.sync_names();
        disk.write(file, 0, b"one");
        disk.sync(file);
        disk.write(file, 0, b"two");
        disk.make("b");
        disk.fail(&mut dice);
        let mut found = [0; 3];
        disk.read(disk.find("a").unwrap(), 0, &mut found);
        assert!(&found == b"one" || &found == b"two", "{found:?}");
        lost += usize::from(&found == b"one");
        kept += usize::from(disk.find("b").is_some());
    }
    assert!((1..200).contains(&lost) && (1..200).contains(&kept), "{lost} {kept}");
}
