//! Each planted mistake of the core is caught by a seed, and by an invariant that names it.

use chinwag_core::mutant::Mutant;
use chinwag_sim::run;

/// Within so many seeds.
const SEEDS: u64 = 1_000;

/// Asserts that `mutant` is caught.
fn check(mutant: Mutant) {
    let caught = (1..=SEEDS).find(|seed| !run(*seed, Some(mutant), false).violations.is_empty());
    let name = mutant.name();
    assert!(
        caught.is_some(),
        "{name} is not caught within {SEEDS} seeds"
    );
}

#[test]
fn a_snapshot_before_registering() {
    check(Mutant::SnapshotBeforeRegister);
}

#[test]
fn a_stream_that_begins_at_the_cursor() {
    check(Mutant::SyncFromCursor);
}

#[test]
fn local_commits_that_bypass_the_feed() {
    check(Mutant::LocalBypassesFeed);
}

#[test]
fn membership_looked_at_when_joining_only() {
    check(Mutant::AuthorisedAtJoinOnly);
}

#[test]
fn a_counter_per_node() {
    check(Mutant::NodeCounter);
}

#[test]
fn keys_that_are_forgotten() {
    check(Mutant::DedupeForgets);
}

#[test]
fn a_full_outbox_that_drops_silently() {
    check(Mutant::SilentDrop);
}

#[test]
fn a_position_that_overtakes_its_events() {
    check(Mutant::PositionInControlLane);
}

#[test]
fn a_tail_that_goes_on_behind_a_hole() {
    check(Mutant::TailOverHole);
}

#[test]
fn typing_that_is_told_to_its_sender() {
    check(Mutant::TypingToSender);
}

#[test]
fn a_grace_that_goes_on_after_coming_back() {
    check(Mutant::GraceGoesOn);
}

#[test]
fn a_redaction_that_keeps_the_text() {
    check(Mutant::RedactionKeepsText);
}

#[test]
fn a_last_owner_who_goes() {
    check(Mutant::LastOwnerGoes);
}

#[test]
fn a_receipt_of_somebody_who_hides() {
    check(Mutant::ReceiptOfHidden);
}

#[test]
fn all_are_named_here() {
    assert_eq!(Mutant::ALL.len(), 14, "a new mutant wants a test above");
}
