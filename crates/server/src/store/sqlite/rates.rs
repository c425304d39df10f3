//! Rates that administrators have set for single people: a row each.
//!
//! Runs in transactions that others begin. Decides nothing itself: that is `core::deed`'s.

use chinwag_core::ids::UserId;
use chinwag_core::rate::Rate;
use rusqlite::{Connection, Row, params};

use super::rows::user_id;

/// The query of all of them.
pub(super) const RATES: &str = "SELECT user, thousandths, burst FROM user_rates ORDER BY user";

/// A row of it.
pub(super) fn rate(row: &Row<'_>) -> rusqlite::Result<(UserId, Rate)> {
    let rate = Rate {
        thousandths_per_second: row.get(1)?,
        burst: row.get(2)?,
    };
    Ok((user_id(row, 0)?, rate))
}

/// Gives somebody a rate, or the usual one again.
pub(super) fn set(db: &Connection, user: UserId, rate: Option<Rate>) -> rusqlite::Result<()> {
    match rate {
        Some(rate) => db
            .prepare_cached(
                "INSERT INTO user_rates (user, thousandths, burst) VALUES (?1, ?2, ?3) \
                 ON CONFLICT (user) DO UPDATE SET thousandths = excluded.thousandths, \
                 burst = excluded.burst",
            )?
            .execute(params![user.0, rate.thousandths_per_second, rate.burst])?,
        None => db
            .prepare_cached("DELETE FROM user_rates WHERE user = ?1")?
            .execute([&user.0[..]])?,
    };
    Ok(())
}
