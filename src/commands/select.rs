//! Which containers a verb means: one by its id, or with `--regex` several.

use super::Call;
use crate::error::{Error, Kind, Result};

/// The ids that `pattern` selects.
pub(super) fn select(call: &Call<'_>, pattern: &str, regex: bool) -> Result<Vec<String>> {
    if !regex {
        return Ok(vec![pattern.to_owned()]);
    }
    let pattern = regex_lite::Regex::new(pattern)
        .map_err(|error| Error::message(Kind::Usage, format!("--regex: {error}")))?;
    Ok(call.store.ids()?.into_iter().filter(|id| pattern.is_match(id)).collect())
}
