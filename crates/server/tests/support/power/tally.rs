//! Counts what a number of images showed, and says it in one line.
//!
//! Not here: what counts as lost or as a ghost; the test that knows its promises decides.

use std::fmt;

use super::disk::Losses;

/// What was found in one image or in many.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Tally {
    pub(crate) images: u64,
    /// Acknowledgements that had left before the cut, summed over the images.
    pub(crate) acked: u64,
    /// Of these, not in the image.
    pub(crate) lost: u64,
    /// Images that do not open, or are damaged inside.
    pub(crate) corrupt: u64,
    /// What somebody had seen, or finds now, although it is not or was never stored.
    pub(crate) ghosts: u64,
    /// What the imagined disks did, so that a run in which nothing was at stake does not pass for a proof.
    pub(crate) losses: Losses,
    /// The first image that broke a promise: its cut and its seed, to look at it again.
    pub(crate) first_broken: Option<(usize, u64)>,
}

impl Tally {
    pub(crate) fn add(&mut self, other: Self) {
        self.images += other.images;
        self.acked += other.acked;
        self.lost += other.lost;
        self.corrupt += other.corrupt;
        self.ghosts += other.ghosts;
        self.losses.add(other.losses);
        self.first_broken = self.first_broken.or(other.first_broken);
    }

    /// Whether anything promised was not kept.
    pub(crate) fn is_broken(&self) -> bool {
        self.lost + self.corrupt + self.ghosts > 0
    }

    /// Fails unless the disks kept, dropped and tore changes and forgot names, and acks were at stake.
    pub(crate) fn assert_not_vacuous(&self) {
        let Losses {
            kept,
            dropped,
            torn,
            names,
        } = self.losses;
        assert!(
            self.images > 0 && self.acked > 0,
            "nothing was promised: {self}"
        );
        assert!(
            kept > 0 && dropped > 0 && torn > 0 && names > 0,
            "nothing was at stake: {self}"
        );
    }
}

impl fmt::Display for Tally {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Losses {
            kept,
            dropped,
            torn,
            names,
        } = self.losses;
        write!(
            formatter,
            "images {} acked {} lost {} corrupt {} ghosts {} (unsynced changes kept {kept} dropped {dropped} \
             torn {torn}, names lost {names})",
            self.images, self.acked, self.lost, self.corrupt, self.ghosts,
        )?;
        match self.first_broken {
            Some((cut, seed)) => write!(formatter, ", first at cut {cut} seed {seed:#x}"),
            None => Ok(()),
        }
    }
}
