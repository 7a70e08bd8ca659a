use std::time::{Duration, Instant};

use super::super::table::{Grammar, detect};
use super::lex;

fn comments(language: &str, text: &str) -> Vec<String> {
    let Grammar::Code(syntax) = detect(Some(language), None, "").grammar else {
        panic!("{language} has no table");
    };
    let lexed = lex(text, syntax);
    lexed.comments.iter().map(|comment| text[comment.body.clone()].trim().to_owned()).collect()
}

#[test]
fn each_family_has_its_comments_and_hides_what_is_in_strings() {
    let cases: &[(&str, &str, &[&str])] = &[
        ("c", "int a; // one\n/* two */ char *s = \"// no /* no\"; '\"'; // three", &["one", "two", "three"]),
        ("c", "int n = 1'000'000; // one\nauto s = R\"x(// no )\" )x\"; // two", &["one", "two"]),
        ("c", "#error don't // one", &["one"]),
        ("c", "\"open // no\n// one", &["one"]),
        ("c", "/* /* */ x(); // one\n/* open", &["/*", "one", "open"]),
        ("kotlin", "/* /* */ no(); // in */ // one", &["/* */ no(); // in", "one"]),
        ("java", "String s = \"\"\"\n // no \"\n\"\"\"; // one", &["one"]),
        ("c#", "var s = @\"\\\"; // one\nvar t = @\"a\"\" // no\";", &["one"]),
        ("go", "s := `// no\n/* no` // one", &["one"]),
        ("javascript", "x = `a ${ f({}, `// no`) /* one */ } // no`; // two", &["one", "two"]),
        ("javascript", "s.replace(/[/'\"`]/g, '') // one\nreturn /`/ // two", &["one", "two"]),
        ("javascript", "a = b / c; // one\nd = (e) / f / g // two", &["one", "two"]),
        ("jsx", "<p>Don't</p> {/* one */}\n<a href=x>http://no</a>", &["one"]),
        ("python", "s = '# no' # one\nt = \"\"\"\n# no\n\"\"\" # two\nr'\\' # no'", &["one", "two"]),
        ("ruby", "s = \"#{x}\" # one\n=begin\ntwo\n=end\nx # three", &["one", "two", "three"]),
        ("shell", "echo $# ${a#b} 'it # no' # one\n#two", &["one", "two"]),
        ("yaml", "a: it's # one\nb: '# no'\nc: x#no", &["one"]),
        ("toml", "a = '\\' # one\nb = '''\n# no\n'''", &["one"]),
        (
            "html",
            "<p>// no</p><!-- one --><SCRIPT>// two\n'</p>'</script><style>/* three */</style>",
            &["one", "two", "three"],
        ),
        ("html", "<script src=x", &[]),
        ("css", "a { b: 'x /* no' } /* one */", &["one"]),
        ("scss", "a { b: url(//no) } // one\n@import http://no", &["one"]),
        ("sql", "select 'it''s -- no' -- one\n/* two */", &["one", "two"]),
        ("lua", "x = [[ -- no ]] --[[ one\n]] -- two", &["one", "two"]),
        ("haskell", "f' x = y -- one\n{- {- -} two -}", &["one", "{- -} two"]),
        ("lisp", "(a \"; no\n; no\") ; one\n#| two |#", &["one", "two"]),
        ("ini", "a = b ; no\n ; one\n# two", &["one", "two"]),
        ("json", "{\"a\": \"// no\"} // one", &["one"]),
        ("shell", "", &[]),
    ];
    for (language, text, expected) in cases {
        assert_eq!(comments(language, text), *expected, "{language}: {text}");
    }
}

#[test]
fn dots_count_only_where_a_statement_could_stand() {
    let Grammar::Code(syntax) = detect(Some("ts"), None, "").grammar else { panic!("no table") };
    assert_eq!(lex("f() {\n  ...\r\n}\n...", syntax).dots.len(), 2);
    assert_eq!(lex("f(\n  ...\n)\n[a,\n...\nb]; const x = {\n ...y\n}", syntax).dots.len(), 0);
}

#[test]
fn a_long_row_of_openers_takes_linear_time_in_every_family() {
    let pieces = [
        "/*", "//", "'", "\"", "`", "${", "`${", "=/[", "/", "R\"(", "R\"x", "<script", "<script>", "<!--",
        "--[[", "{-", "#|", "...", " ", "...\n", "  ...", "=begin", "#", "url(", "@\"", "\\", "}", "é",
    ];
    let languages =
        ["c", "kotlin", "c#", "js", "python", "ruby", "html", "scss", "lua", "haskell", "lisp", "ini"];
    for piece in pieces {
        let text = piece.repeat((1 << 18) / piece.len());
        for language in languages {
            let start = Instant::now();
            comments(language, &text);
            assert!(start.elapsed() < Duration::from_secs(2), "{language}: {piece:?} {:?}", start.elapsed());
        }
    }
}
