//! What people and models write in the place of code, as patterns for [`super::pattern`].
//!
//! Invariant: a phrase that sound comments use too, such as "the rest of the code", counts only where it stands
//! alone or beside dots; what may count inside a sentence says by itself that code is missing. Elisions come
//! first, and in each list the surer phrases: the earliest one is reported.

use super::RuleId;
use super::pattern::{Classes, Standing};

/// A phrase.
pub(super) struct Phrase {
    pub(super) rule: RuleId,
    /// The weakest standing that counts.
    pub(super) needs: Standing,
    /// Percent, where it stands alone or beside dots.
    pub(super) confidence: u8,
    pub(super) pattern: &'static str,
    /// A word for a test double: no finding in tests.
    pub(super) double: bool,
}

/// Lists of alternatives that several phrases share.
pub(super) const CLASSES: Classes = &[
    ("DET", "the|this|that|these|those|your|my|our|its|a|an|all|all_the|all_of_the|any|every|each|whatever"),
    (
        "CODE",
        "code|source_code|source|file|files|function|functions|function_body|method|methods|class|classes|\
         implementation|implementations|module|modules|component|components|logic|content|contents|import|imports|\
         script|body|block|blocks|field|fields|test|tests|case|cases|style|styles|config|configuration|program|\
         document|section|sections|line|lines|definition|definitions|declarations|handler|handlers|route|routes|\
         property|properties|props|jsx|html|css|markup|template|setup|type|types|functionality|form|form_fields|\
         variables|constants|arguments|parameters|options|entries|items|elements|helpers|exports|state|hooks|schema|\
         structs|enums|interfaces|columns|rows|steps|rules|settings|endpoints|page|app|variants|arms|branches",
    ),
    (
        "REAL",
        "real|actual|production|proper|true|full|full_fledged|complete|real_world|real_life|production_ready",
    ),
    (
        "PLACE",
        "implementation|implementations|app|apps|application|applications|system|systems|scenario|environment|code|\
         codebase|project|world|deployment|setting|version|product|service|case|use_case|world_app|\
         world_application|world_scenario|world_implementation|setup|server|backend|program",
    ),
    (
        "SAME",
        "unchanged|the_same_as_before|the_same|same_as_before|same_as_above|same|as_is|as_before|intact|untouched|\
         unmodified|identical",
    ),
    (
        "STAYS",
        "remain|remains|remained|stay|stays|is|are|kept|continue|continues|will_remain|will_stay|would_remain",
    ),
    ("OTHER", "existing|previous|original|remaining|unchanged|other|rest|earlier|omitted"),
    ("WHY", "brevity|clarity|simplicity|readability|conciseness|the_sake_of_brevity|the_sake_of_clarity"),
    ("CUT", "omitted|elided|truncated|shortened|snipped|abbreviated|removed|skipped|left_out"),
    ("DOUBLE", "mock|stub|dummy|fake|mocked|stubbed|faked|simulated"),
    ("WOULD", "would|should|will|might|could"),
    ("WE", "we|you|this|it|one|i"),
];

const fn phrase(rule: RuleId, needs: Standing, confidence: u8, pattern: &'static str) -> Phrase {
    Phrase { rule, needs, confidence, pattern, double: false }
}

/// Counts beside dots only.
const fn elided_dots(confidence: u8, pattern: &'static str) -> Phrase {
    phrase(RuleId::ElidedCode, Standing::Dots, confidence, pattern)
}

/// Counts as the whole line.
const fn elided_whole(confidence: u8, pattern: &'static str) -> Phrase {
    phrase(RuleId::ElidedCode, Standing::Whole, confidence, pattern)
}

/// Counts at the start of a sentence.
const fn elided_start(confidence: u8, pattern: &'static str) -> Phrase {
    phrase(RuleId::ElidedCode, Standing::Start, confidence, pattern)
}

/// Counts everywhere.
const fn elided(confidence: u8, pattern: &'static str) -> Phrase {
    phrase(RuleId::ElidedCode, Standing::Inside, confidence, pattern)
}

const fn whole(confidence: u8, pattern: &'static str) -> Phrase {
    phrase(RuleId::PlaceholderComment, Standing::Whole, confidence, pattern)
}

const fn start(confidence: u8, pattern: &'static str) -> Phrase {
    phrase(RuleId::PlaceholderComment, Standing::Start, confidence, pattern)
}

const fn inside(confidence: u8, pattern: &'static str) -> Phrase {
    phrase(RuleId::PlaceholderComment, Standing::Inside, confidence, pattern)
}

const fn double(phrase: Phrase) -> Phrase {
    Phrase { double: true, ..phrase }
}

/// All phrases.
pub(super) static PHRASES: &[Phrase] = &[
    // The rest is as it was.
    elided_dots(95, "DET? rest of DET? OTHER? CODE"),
    elided_dots(95, "DET? OTHER *? CODE STAYS? SAME"),
    elided_dots(90, "DET? OTHER *? CODE *? *?"),
    elided_dots(85, "DET? more|additional|similar *? CODE"),
    elided_dots(85, "CODE STAYS? SAME|CUT"),
    elided_dots(85, "keep|leave|retain DET? OTHER *? CODE"),
    elided_dots(
        85,
        "unchanged|omitted|snip|snipped|same_as_before|same_as_above|as_before|no_change|no_changes",
    ),
    elided_dots(85, "repeat|same|similar|similarly|likewise for DET? other|remaining|rest *? *?"),
    elided_dots(75, "and_so_on|and_others|and_the_rest|the_rest|rest"),
    elided_start(95, "DET? rest of DET? OTHER? CODE STAYS? SAME"),
    elided_start(90, "DET? rest of DET? OTHER? CODE goes? here"),
    elided_whole(90, "DET? rest of DET? OTHER? CODE STAYS? CUT|not_shown|not_shown_here"),
    elided_start(90, "DET? OTHER code|implementation|logic|imports STAYS SAME"),
    elided_start(90, "DET? OTHER code|implementation|logic|methods|functions|imports goes? here"),
    elided_whole(75, "DET? OTHER CODE STAYS? SAME"),
    elided_whole(75, "DET? rest STAYS SAME"),
    elided_whole(75, "DET? existing|unchanged|previous|omitted code|implementation|logic|methods|functions"),
    elided_whole(
        70,
        "DET? rest of DET? OTHER? code|file|function|implementation|class|module|component|methods",
    ),
    elided_whole(85, "snip|code_snipped|unchanged_code|code_unchanged"),
    elided_whole(
        80,
        "code|implementation|body|methods|functions|imports|details CUT|not_shown|not_shown_here",
    ),
    // Keep what was there.
    elided_whole(75, "keep|leave DET? rest of DET? OTHER? CODE"),
    elided_whole(75, "keep|leave DET? rest|existing|remaining|original CODE? SAME"),
    elided_whole(
        80,
        "keep|retain|leave DET? existing|previous|original|remaining code|implementation|logic|methods",
    ),
    elided_whole(65, "repeat for DET? other|remaining|rest *? *?"),
    // Left out for a reader's sake.
    elided(90, "CUT *? for DET? WHY"),
    elided_whole(75, "for brevity"),
    elided(70, "code|lines|body|implementation CUT here"),
    // To be written.
    start(90, "implement me"),
    start(85, "implement this|it|here later|here|properly"),
    start(85, "not_yet_implemented|not_implemented_yet|yet_to_be_implemented|still_to_be_implemented"),
    whole(85, "implement|fix|finish|complete this|it|here *? later?"),
    whole(
        85,
        "not_implemented|unimplemented|to_be_implemented|tbd|tba|stub|placeholder|coming_soon|work_in_progress",
    ),
    inside(80, "will|to be implemented|added|filled later|soon"),
    whole(75, "this|it needs|has to be implemented|written"),
    whole(75, "needs_implementation|implementation_pending|implementation_needed|finish_implementation"),
    whole(80, "fill_in DET? rest|details|implementation|blanks|actual|logic|body *? *? *?"),
    whole(80, "fill_this_in|fill_me_in|fill_in_here|fill_in_later"),
    // A slot for somebody else's code.
    inside(90, "your|actual|real|main *? code|logic|implementation|handler|query goes? here"),
    inside(
        85,
        "code|logic|implementation|functionality WOULD? go|goes|comes|belongs|be_added|be_placed here|there",
    ),
    inside(85, "add|insert|put|place|write|paste your|actual|custom|additional|real *? *? here|below"),
    start(85, "add|insert|put|write more|other|further|any *? *? *? here"),
    start(70, "add|define|include more|other|others *? *? *? as needed|necessary|required"),
    whole(80, "code|logic|implementation|do_something|do_stuff|something|magic_happens|more here"),
    whole(70, "do_something|do_stuff|some_logic|some_code|your_code|your_logic"),
    // Not the real thing.
    inside(90, "in a|an|any|your REAL PLACE"),
    inside(80, "in the? real|actual|production PLACE? WE WOULD"),
    inside(75, "in production use|replace|implement|switch|swap"),
    inside(85, "DET? REAL implementation|logic|code|version|call|query|check would"),
    start(80, "replace this|these|it|me? with DET? real|actual|proper|your *?"),
    whole(80, "replace me|this_later"),
    inside(90, "for now *? *? *? placeholder|stub|stubbed|hardcode|hardcoded|hardcoding|pretend|noop|no_op"),
    inside(85, "for now *? *? *? simplified|simplistic|naive"),
    inside(90, "placeholder|stub|stubbed|hardcoded|hard_coded *? *? for now"),
    double(inside(85, "for now *? *? *? DOUBLE|simulate")),
    double(inside(85, "DOUBLE *? *? for now")),
    inside(70, "for now we? just|simply|only return|returns|print|prints|log|logs|skip|pass"),
    inside(
        75,
        "this_is|its|it_is|heres|here_is just|only|merely|currently|still? a? simple|basic|temporary|mere? placeholder|stub",
    ),
    inside(85, "placeholder implementation|implementations|logic|function|method|body"),
    start(65, "placeholder for|until|to_be|that_will"),
    double(start(80, "DET? DOUBLE implementation|implementations")),
    double(start(65, "DET? DOUBLE|hardcoded response|result|data|logic")),
    double(start(
        60,
        "simulate|simulating DET? *? call|calls|delay|latency|request|response|work|processing|query",
    )),
    start(70, "simplified|simplistic|temporary|incomplete|skeleton implementation"),
    inside(70, "not a|the real|full|complete implementation"),
    inside(85, "simplified|simplify|simplifying|simplification for WHY"),
    inside(80, "simplified|simplification for now|demo|demonstration|this_example|the_example|demo_purposes"),
    inside(70, "for demo|demonstration|illustration|illustrative purposes only?"),
    inside(65, "for the_sake_of brevity|demonstration|this_example|the_example"),
    inside(65, "this|we|you|i would normally|typically|ordinarily"),
    inside(65, "normally this|you|we|i would"),
    inside(90, "left|leave as an exercise"),
    inside(90, "exercise for the|our reader|readers|student|user"),
];
