//! The lower queue's transaction: account writes, each in a savepoint of its own, then markers.
//!
//! What waits here never delays a message for longer than one transaction. Lifetime: the writer's.

use chinwag_core::ids::{Millis, Position};
use chinwag_core::marker::{self, Marked};
use chinwag_core::view::View;

use super::{Fatal, Writer, ends_writer, unknown};
use crate::store::StoreError;
use crate::store::sqlite::queue::{MarkCall, WriteCall};
use crate::store::sqlite::reply::answer;
use crate::store::sqlite::{apply, trails};

impl Writer {
    pub(super) fn lower(
        &mut self,
        mut writes: Vec<WriteCall>,
        marks: Vec<MarkCall>,
    ) -> Result<(), Fatal> {
        if let Err(refusal) = self.ready() {
            writes
                .into_iter()
                .for_each(|call| call.work.reply(Err(refusal.clone())));
            marks
                .into_iter()
                .for_each(|call| answer(call.reply, Err(refusal.clone())));
            return Ok(());
        }
        let next = Position(self.position.0 + 1);
        let done = self.lower_transaction(&mut writes, &marks, next);
        let done = done.and_then(|(outcomes, marked, wrote)| {
            self.finish(wrote)?;
            Ok((outcomes, marked, wrote))
        });
        match done {
            Ok((outcomes, marked, wrote)) => {
                if wrote {
                    self.position = next;
                }
                for (call, outcome) in writes.into_iter().zip(outcomes) {
                    call.work.reply(outcome);
                }
                for (call, marked) in marks.into_iter().zip(marked) {
                    answer(call.reply, Ok(marked));
                }
                Ok(())
            }
            Err(fatal) => {
                let error = StoreError::Unknown(fatal.0.clone());
                writes
                    .into_iter()
                    .for_each(|call| call.work.reply(Err(error.clone())));
                Err(unknown(marks.into_iter().map(|call| call.reply), fatal))
            }
        }
    }

    #[expect(
        clippy::type_complexity,
        reason = "three results of one transaction, used once"
    )]
    fn lower_transaction(
        &self,
        writes: &mut [WriteCall],
        marks: &[MarkCall],
        next: Position,
    ) -> Result<(Vec<Result<(), StoreError>>, Vec<Vec<Option<Marked>>>, bool), Fatal> {
        let mut wrote = !writes.is_empty();
        if wrote {
            // First, so that a write can mark its rows with the position that it will have.
            apply::put_position(&self.db, next)?;
        }
        if !writes.iter().all(|call| call.work.is_beside()) {
            self.kept.forget();
        }
        let mut outcomes = Vec::new();
        for call in writes {
            outcomes.push(self.in_savepoint(call)?);
        }
        let mut all = Vec::new();
        for call in marks {
            let mut marked = Vec::new();
            for mark in &call.marks {
                marked.push(self.mark(mark, call.at, next, &mut wrote)?);
            }
            all.push(marked);
        }
        if wrote {
            apply::put_position(&self.db, next)?;
        }
        Ok((outcomes, all, wrote))
    }

    /// Runs one account write; an error of its own undoes it alone.
    fn in_savepoint(&self, call: &mut WriteCall) -> Result<Result<(), StoreError>, Fatal> {
        self.db.execute_batch("SAVEPOINT account")?;
        match call.work.run(&self.db) {
            Ok(()) => {
                self.db.execute_batch("RELEASE account")?;
                Ok(Ok(()))
            }
            Err(error) if ends_writer(&error) || self.db.is_autocommit() => Err(error.into()),
            Err(error) => {
                self.db
                    .execute_batch("ROLLBACK TO account; RELEASE account")?;
                Ok(Err(StoreError::Read(error.to_string())))
            }
        }
    }

    fn mark(
        &self,
        mark: &marker::Mark,
        at: Millis,
        next: Position,
        wrote: &mut bool,
    ) -> Result<Option<Marked>, Fatal> {
        let view = self.view();
        let read = |error: StoreError| Fatal(error.to_string());
        let room = view.room(mark.room).map_err(read)?;
        let member = view.member(mark.room, mark.user).map_err(read)?;
        let (Some(room), Some(mut member)) = (room, member) else {
            return Ok(None);
        };
        let marked = marker::raise(&room, &mut member, mark);
        if marked.rose() {
            apply::marker(&self.db, &self.inside, mark.room, mark.user, &marked, next)?;
            let slot = (mark.room, mark.user);
            trails::step(&self.db, &self.inside, slot, &marked, at)?;
            self.kept.learn_member(mark.room, member);
            *wrote = true;
        }
        Ok(Some(marked))
    }
}
