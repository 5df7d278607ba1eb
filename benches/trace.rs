//! Draws what `--trace` has written: `cargo bench --bench trace -- TRACE.json PICTURE.svg`.
//!
//! One row for each of rrun's processes, deeper rows for phases inside phases, time to the right.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::fmt::Write as _;

use serde_json::Value;

const LEFT: f64 = 60.0;
const WIDTH: f64 = 1100.0;
const BAR: f64 = 18.0;
const COLOURS: [&str; 4] = ["#ffd8a8", "#a5d8ff", "#b2f2bb", "#eebefa"];

struct Span {
    process: u64,
    name: String,
    from: f64,
    to: f64,
    /// How many others it is inside of.
    depth: usize,
}

fn spans(trace: &Value) -> Vec<Span> {
    let mut spans: Vec<Span> = Vec::new();
    // They come sorted, and what holds others comes before them.
    for event in trace["traceEvents"].as_array().unwrap().iter().filter(|it| it["ph"] == "X") {
        let process = event["pid"].as_u64().unwrap();
        let from = event["ts"].as_f64().unwrap();
        let to = from + event["dur"].as_f64().unwrap();
        let holds =
            |other: &&Span| other.process == process && other.to >= to && other.from <= from;
        let depth = spans.iter().filter(holds).count();
        spans.push(Span { process, name: event["name"].as_str().unwrap().into(), from, to, depth });
    }
    spans
}

fn picture(trace: &Value) -> String {
    let spans = spans(trace);
    let end = spans.iter().map(|it| it.to).fold(1.0, f64::max);
    let mut body = String::new();
    let mut y = 30.0;
    for event in trace["traceEvents"].as_array().unwrap().iter().filter(|it| it["ph"] == "M") {
        let process = event["pid"].as_u64().unwrap();
        let own = || spans.iter().filter(|it| it.process == process);
        let name = event["args"]["name"].as_str().unwrap();
        writeln!(body, "<text x='8' y='{}' font-weight='bold'>{name}</text>", y + 13.0).unwrap();
        for span in own() {
            let (x, wide) = (LEFT + span.from / end * WIDTH, (span.to - span.from) / end * WIDTH);
            #[allow(clippy::cast_precision_loss)]
            let top = y + span.depth as f64 * (BAR + 2.0);
            let colour = COLOURS[usize::try_from(process).unwrap() % COLOURS.len()];
            let name = span.name.replace('&', "&amp;").replace('<', "&lt;");
            writeln!(
                body,
                "<rect x='{x:.1}' y='{top}' width='{:.1}' height='{BAR}' fill='{colour}' stroke='#868e96' \
                 stroke-width='0.3'><title>{name}: {:.0} µs</title></rect>",
                wide.max(0.4),
                span.to - span.from
            )
            .unwrap();
            #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
            let room = (wide / 5.6) as usize;
            if room > 3 {
                let label: String = name.chars().take(room).collect();
                writeln!(body, "<text x='{:.1}' y='{}'>{label}</text>", x + 2.0, top + 13.0)
                    .unwrap();
            }
        }
        #[allow(clippy::cast_precision_loss)]
        let rows = own().map(|it| it.depth + 1).max().unwrap_or(1) as f64;
        y += rows * (BAR + 2.0) + 10.0;
    }
    format!(
        "<svg xmlns='http://www.w3.org/2000/svg' width='{:.0}' height='{y:.0}' font-family='sans-serif' \
         font-size='10'>\n<rect width='100%' height='100%' fill='white'/>\n\
         <text x='8' y='16' font-size='13'>{:.2} ms</text>\n{body}</svg>\n",
        LEFT + WIDTH + 10.0,
        end / 1000.0
    )
}

fn main() {
    let paths: Vec<String> = std::env::args().skip(1).filter(|it| it != "--bench").collect();
    let [trace, svg] = &paths[..] else { panic!("a trace and a place for the picture") };
    let trace = std::fs::read(trace).expect("the trace");
    let trace = serde_json::from_slice(&trace).expect("a trace of `rrun --trace`");
    std::fs::write(svg, picture(&trace)).expect("the picture");
}
