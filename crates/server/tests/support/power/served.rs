//! The real server under the recorder, with clients around it, through as many starts as a test wants.
//!
//! Not here: what a test does to it, and what the images must hold (`judge.rs`). One record for all starts,
//! since what an earlier process left unsynced is no safer after a restart.

use std::collections::BTreeMap;
use std::os::unix::process::ExitStatusExt as _;
use std::path::{Path, PathBuf};

use chinwag_core::ids::{Key, RoomId};
use chinwag_core::wire::Req;
use rustix::process::Signal;

use super::dice::Dice;
use super::image::{Baseline, Image};
use super::judge::Judge;
use super::promises::Promises;
use super::record::Record;
use super::replay::Replay;
use super::tally::Tally;
use super::{Faults, record_into};
use crate::scene::{Scene, furnishing_key};
use crate::server::{self, Server};

/// Wrong things that are said word for word.
const EXAMPLES_MAX: usize = 6;

/// A data directory, its record, and where they lie.
pub(crate) struct Served {
    data: PathBuf,
    log: PathBuf,
    record_file: PathBuf,
    before: Baseline,
    mutant: Option<&'static str>,
}

/// What a run left for judging.
pub(crate) struct Evidence {
    pub(crate) record: Record,
    pub(crate) promises: Promises,
    before: Baseline,
    rooms: Vec<RoomId>,
    texts: BTreeMap<Key, String>,
    data: PathBuf,
}

impl Served {
    /// Begins a record on an empty directory below `place`.
    pub(crate) fn new(place: &Path, mutant: Option<&'static str>) -> Self {
        let data = place.join("data");
        std::fs::create_dir_all(&data).expect("a directory can be made");
        Self {
            before: Baseline::of_directory(&data).expect("an empty directory can be read"),
            data,
            log: place.join("server.log"),
            record_file: place.join("record"),
            mutant,
        }
    }

    /// Starts the server under the recorder.
    pub(crate) fn start(&self, faults: Faults) -> Server {
        let mut command = server::command(&self.data, &self.log);
        record_into(&mut command, &self.data, &self.record_file, faults);
        if let Some(mutant) = self.mutant {
            command.env("CHINWAG_MUTANT", mutant);
        }
        Server::start(&mut command)
    }

    /// Kills a server as `kill -9` does, but between two records: what it did is what is written down.
    pub(crate) fn kill(server: Server) {
        let status = server.kill_by(Signal::USR2);
        assert_eq!(status.signal(), Some(9), "{status}");
    }

    /// Reads the record after the last process has ended and the clients have left.
    pub(crate) fn evidence(self, scene: &Scene) -> Evidence {
        let record = Record::read(&self.record_file).expect("the record is readable");
        let mut key_of: BTreeMap<Req, Key> = BTreeMap::new();
        key_of.extend((1..).map_while(|req| Some((req, furnishing_key(req)?))));
        let mut texts = BTreeMap::new();
        let mut rooms = Vec::new();
        scene.with_histories(|histories| {
            for history in histories {
                rooms.extend(history.rooms.keys().copied());
                for sent in &history.sent {
                    key_of.extend(sent.requests.iter().map(|req| (*req, sent.key)));
                    texts.insert(sent.key, sent.text.clone());
                }
            }
        });
        rooms.sort_unstable();
        rooms.dedup();
        Evidence {
            promises: Promises::read(&record, &key_of),
            record,
            before: self.before,
            rooms,
            texts,
            data: self.data,
        }
    }
}

impl Evidence {
    /// Power failures at `images` places all over the record; also, what was wrong first.
    pub(crate) fn judge_images(&self, images: usize, seed: u64) -> (Tally, String) {
        self.judge_cuts(self.record.cuts(images, seed), seed)
    }

    /// Power failures at these places, in their order.
    pub(crate) fn judge_cuts(
        &self,
        cuts: impl IntoIterator<Item = usize>,
        seed: u64,
    ) -> (Tally, String) {
        let judge = Judge {
            promises: &self.promises,
            rooms: &self.rooms,
            texts: &self.texts,
        };
        let mut replay = Replay::new(&self.record, &self.before);
        let (mut sum, mut examples) = (Tally::default(), Vec::new());
        for (index, cut) in cuts.into_iter().enumerate() {
            replay.advance_to(cut).expect("every change was recorded");
            let image_seed = Dice::new(seed).next().wrapping_add(index as u64);
            let (image, losses) = replay.after_power_loss(image_seed);
            let (tally, wrong) = judge.judge(&image, cut);
            let first_broken = tally.is_broken().then_some((cut, image_seed));
            sum.add(Tally {
                losses,
                first_broken,
                ..tally
            });
            examples.extend(wrong.into_iter().map(|wrong| format!("cut {cut}: {wrong}")));
            examples.truncate(EXAMPLES_MAX);
        }
        (sum, examples.join("\n"))
    }

    /// The full replay must equal the directory, byte for byte: then no change was missed.
    pub(crate) fn is_complete(&self) -> bool {
        let mut replay = Replay::new(&self.record, &self.before);
        let real = Image::of_directory(&self.data).expect("the directory is readable");
        replay.advance_to(self.record.entries.len()).is_ok() && replay.live() == real
    }
}
