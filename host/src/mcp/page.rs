//! Pages of the list of tools.
//!
//! Invariant: a cursor says after which name the next page begins, so it stays good when tools come and
//! go, in any session.

use data_encoding::BASE64URL_NOPAD;

use crate::model::Tool;

/// Tools on one page.
pub(super) const PAGE: usize = 100;

/// In front of the name, so that not every text that decodes is a cursor.
const MARK: &str = "after:";

/// The cursor was not one of ours.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct BadCursor;

/// The page that begins at `cursor`, and the cursor of the next one. `tools` are sorted by name.
pub(super) fn page<'a>(
    tools: &'a [Tool],
    cursor: Option<&str>,
) -> Result<(&'a [Tool], Option<String>), BadCursor> {
    let start = match cursor {
        None => 0,
        Some(cursor) => {
            let after = decode(cursor).ok_or(BadCursor)?;
            tools.partition_point(|tool| tool.name <= after)
        }
    };
    let rest = &tools[start..];
    let shown = &rest[..rest.len().min(PAGE)];
    let next = shown.last().filter(|_| rest.len() > PAGE).map(|last| encode(&last.name));
    Ok((shown, next))
}

fn encode(name: &str) -> String {
    BASE64URL_NOPAD.encode(format!("{MARK}{name}").as_bytes())
}

fn decode(cursor: &str) -> Option<String> {
    let text = String::from_utf8(BASE64URL_NOPAD.decode(cursor.as_bytes()).ok()?).ok()?;
    text.strip_prefix(MARK).map(str::to_owned)
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]
mod tests {
    use std::sync::Arc;

    use super::{BadCursor, PAGE, page};
    use crate::model::{Annotations, Tool};

    fn tools(count: usize) -> Vec<Tool> {
        let tool = |number: usize| Tool {
            name: format!("many_t{number:04}"),
            title: None,
            description: String::new(),
            input_schema: Arc::default(),
            output_schema: None,
            annotations: Annotations::default(),
        };
        (0..count).map(tool).collect()
    }

    #[test]
    fn pages_follow_each_other_and_hold_every_tool_once() {
        for (count, pages) in [(0, 1), (1, 1), (PAGE, 1), (PAGE + 1, 2), (2 * PAGE + 50, 3)] {
            let tools = tools(count);
            let (mut seen, mut cursor, mut read) = (Vec::new(), None, 0);
            loop {
                let (shown, next) = page(&tools, cursor.as_deref()).unwrap();
                seen.extend_from_slice(shown);
                read += 1;
                cursor = next;
                if cursor.is_none() {
                    break;
                }
            }
            assert_eq!((seen, read), (tools, pages), "{count}");
        }
    }

    #[test]
    fn a_cursor_stays_good_when_the_tool_that_it_names_is_gone() {
        let mut tools = tools(PAGE + 2);
        let (_, cursor) = page(&tools, None).unwrap();
        tools.remove(PAGE - 1);
        let (shown, next) = page(&tools, cursor.as_deref()).unwrap();
        assert_eq!(shown, &tools[PAGE - 1..]);
        assert_eq!(next, None);
    }

    #[test]
    fn what_is_no_cursor_is_refused() {
        let own = page(&tools(PAGE + 1), None).unwrap().1.unwrap();
        for cursor in ["", "0", "100", "many_t0099", "not-a-cursor", "YWZ0ZXI", &own[1..], &format!("{own}=")]
        {
            assert_eq!(page(&tools(3), Some(cursor)), Err(BadCursor), "{cursor}");
        }
    }
}
