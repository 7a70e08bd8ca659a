use super::{find, words};
use crate::language::Kind;
use crate::rules::lines::Line;
use crate::rules::words::{Vocabulary, Words};

fn percent(text: &str, kind: Kind, opens: bool) -> Option<u8> {
    let mut read = Words::default();
    read.read(text, &Vocabulary::new(words()), usize::MAX);
    find(&Line { text, offset: 0, kind, opens, closes: true }, &read).map(|found| found.confidence.0)
}

#[test]
fn what_stands_like_a_marker_fires() {
    let cases = [
        (" TODO: write it", 95),
        ("TODO(ann): write it", 95),
        (" TODO[#12] write it", 95),
        (" - TODO", 90),
        (" [TODO]", 90),
        (" TODO - write it", 90),
        (" FIXME — broken", 90),
        (" TODO...", 90),
        ("* TODO write it", 80),
        (" XXX does this work?", 80),
        (" HACK around the parser", 80),
        (" [ ] TODO write it", 80),
        (" todo: write it", 75),
        (" Fixme(ann) write it", 75),
        (" @todo write it", 85),
        (r" \todo write it", 85),
        (" see above. TODO: write it", 70),
        (" sorted (TODO: by what?)", 70),
    ];
    for (text, expected) in cases {
        assert_eq!(percent(text, Kind::Line, true), Some(expected), "{text}");
    }
}

#[test]
fn what_only_mentions_a_marker_does_not_fire() {
    let cases = [
        " TODO comments are found",
        " TODO, FIXME and XXX",
        " TODO/FIXME",
        " TODO-list",
        " TODO.",
        " TODO::new",
        " TODOS: none",
        " the todo_list: all",
        " a TODO in the text",
        " `TODO: x` is found",
        " say \"TODO: x\" and 'FIXME: y'",
        " todo write it",
        " MYTODO: x",
        " XXXX: x",
        " x.TODO: y",
        " a/TODO: y",
        " éTODO: y",
        " TODO(unclosed",
        " https://host/TODO: y",
        " ####XXX-XXX",
        "",
    ];
    for text in cases {
        assert_eq!(percent(text, Kind::Line, true), None, "{text}");
    }
}

#[test]
fn documentation_and_unknown_text_ask_for_more() {
    let cases = [
        (Kind::Doc, " TODO: x", true, Some(85)),
        (Kind::Doc, " TODO write it", true, Some(60)),
        (Kind::Doc, " TODO write it", false, None),
        (Kind::Doc, " which finds TODO: x", true, None),
        (Kind::Doc, " Sorted. TODO: x", true, Some(60)),
        (Kind::Line, " TODO write it", false, Some(65)),
        (Kind::Guess, " TODO: x", true, Some(80)),
        (Kind::Prose, "TODO: x", true, Some(60)),
        (Kind::Prose, "TODO x", true, None),
        (Kind::Prose, "todo: x", true, None),
        (Kind::Prose, "see TODO: x", true, None),
    ];
    for (kind, text, opens, expected) in cases {
        assert_eq!(percent(text, kind, opens), expected, "{kind:?} {text}");
    }
}
