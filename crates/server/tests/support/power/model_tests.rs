//! What the model of a disk allows and what it rules out, on records written by hand.

use std::collections::BTreeSet;

use bytes::Bytes;

use super::image::Baseline;
use super::record::{CallNumber, Entry, Inode, Record};
use super::replay::Replay;

fn create(path: &str, inode: u64) -> Entry {
    Entry::Create {
        path: path.into(),
        inode: Inode(inode),
        directory: false,
    }
}

fn create_directory(path: &str, inode: u64) -> Entry {
    Entry::Create {
        path: path.into(),
        inode: Inode(inode),
        directory: true,
    }
}

fn write(inode: u64, offset: u64, text: &str) -> Entry {
    let data = Bytes::copy_from_slice(text.as_bytes());
    Entry::Write {
        path: String::new(),
        inode: Inode(inode),
        offset,
        data,
    }
}

fn begin(inode: u64) -> Entry {
    let call = CallNumber(inode);
    Entry::SyncBegin {
        path: String::new(),
        inode: Inode(inode),
        call,
        directory: false,
    }
}

fn begin_directory(path: &str, call: u64) -> Entry {
    Entry::SyncBegin {
        path: path.into(),
        inode: Inode(call),
        call: CallNumber(call),
        directory: true,
    }
}

fn end(call: u64) -> Entry {
    Entry::SyncEnd {
        call: CallNumber(call),
        succeeded: true,
    }
}

/// A file "a" that holds "old", all of it certain.
fn old_file() -> Vec<Entry> {
    vec![
        create("a", 1),
        write(1, 0, "old"),
        begin(1),
        end(1),
        begin_directory("", 9),
        end(9),
    ]
}

/// What is left by a power failure behind the entries, over many seeds, as "name=content name=content".
fn leftovers(entries: &[&[Entry]]) -> BTreeSet<String> {
    let record = Record {
        entries: entries.concat(),
    };
    let mut replay = Replay::new(&record, &Baseline::default());
    replay
        .advance_to(record.entries.len())
        .expect("every file is created first");
    let describe = |seed| {
        let (image, _) = replay.after_power_loss(seed);
        let files = image.files.iter();
        let files =
            files.map(|(path, content)| format!("{path}={}", String::from_utf8_lossy(content)));
        files.collect::<Vec<_>>().join(" ")
    };
    (0..400).map(describe).collect()
}

/// Exactly these leftovers are possible.
fn check(entries: &[&[Entry]], possible: &[&str]) {
    let possible: BTreeSet<String> = possible.iter().map(ToString::to_string).collect();
    assert_eq!(leftovers(entries), possible);
}

#[test]
fn what_was_synced_stays() {
    check(&[&old_file()], &["a=old"]);
}

#[test]
fn a_name_needs_the_sync_of_its_directory() {
    check(
        &[&[create("a", 1), write(1, 0, "x"), begin(1), end(1)]],
        &["", "a=x"],
    );
}

#[test]
fn a_write_may_be_lost_and_its_size_kept() {
    let left = leftovers(&[&old_file(), &[write(1, 3, "er")]]);
    for expected in ["a=old", "a=older", "a=old\0\0"] {
        assert!(
            left.contains(expected),
            "never seen: {expected:?} in {left:?}"
        );
    }
    assert!(
        left.iter().all(|image| image.starts_with("a=old")),
        "{left:?}"
    );
}

#[test]
fn a_sync_covers_only_what_was_there_when_it_began() {
    check(
        &[&old_file(), &[begin(1), write(1, 0, "new"), end(1)]],
        &["a=old", "a=new"],
    );
    check(
        &[&old_file(), &[write(1, 0, "new"), begin(1)]],
        &["a=old", "a=new"],
    );
    check(
        &[&old_file(), &[write(1, 0, "new"), begin(1), end(1)]],
        &["a=new"],
    );
}

#[test]
fn a_failed_sync_promises_nothing() {
    let failed = Entry::SyncEnd {
        call: CallNumber(1),
        succeeded: false,
    };
    check(
        &[&old_file(), &[write(1, 0, "new"), begin(1), failed]],
        &["a=old", "a=new"],
    );
}

#[test]
fn sectors_are_written_in_any_order_but_whole() {
    let [zeros, ones, twos] = ["0", "1", "2"].map(|digit| digit.repeat(512));
    let before = [
        create("a", 1),
        write(1, 0, &format!("{zeros}{zeros}")),
        begin(1),
        end(1),
        begin_directory("", 9),
        end(9),
    ];
    check(
        &[&before, &[write(1, 0, &format!("{ones}{twos}"))]],
        &[
            &format!("a={zeros}{zeros}"),
            &format!("a={zeros}{twos}"),
            &format!("a={ones}{zeros}"),
            &format!("a={ones}{twos}"),
        ],
    );
}

#[test]
fn a_shrinking_may_be_lost() {
    check(
        &[
            &old_file(),
            &[Entry::Resize {
                path: String::new(),
                inode: Inode(1),
                bytes: 1,
            }],
        ],
        &["a=old", "a=o"],
    );
}

#[test]
fn a_rename_is_lost_or_done() {
    let entries = [
        create("b", 2),
        write(2, 0, "new"),
        begin(2),
        end(2),
        begin_directory("", 8),
        end(8),
        Entry::Rename {
            from: "b".into(),
            to: "a".into(),
            inode: Inode(2),
        },
    ];
    check(&[&old_file(), &entries], &["a=old b=new", "a=new"]);
}

#[test]
fn a_removed_name_may_come_back_until_the_directory_is_synced() {
    let removed = [Entry::Remove { path: "a".into() }];
    check(&[&old_file(), &removed], &["", "a=old"]);
    check(
        &[&old_file(), &removed, &[begin_directory("", 7), end(7)]],
        &[""],
    );
}

#[test]
fn a_lost_directory_takes_its_files_along() {
    let entries = [
        create_directory("d", 1),
        create("d/a", 2),
        begin_directory("d", 9),
        end(9),
    ];
    check(&[&entries], &["", "d/a="]);
    check(&[&entries, &[begin_directory("", 8), end(8)]], &["d/a="]);
}
