//! The figures as a table, as JSON and as a picture, which is drawn from what the JSON says.

use std::fmt::Write as _;

use serde_json::{Value, json};

use crate::contenders::Contender;
use crate::measure::Usage;
use crate::scenarios::{Figures, Row};

pub(crate) struct Report(Value);

/// A value's minimum and median.
fn spread(usages: &[Usage], of: impl Fn(&Usage) -> f64) -> (f64, f64) {
    let mut values: Vec<f64> = usages.iter().map(of).collect();
    values.sort_by(f64::total_cmp);
    let middle = values.get(values.len() / 2).copied().unwrap_or(f64::NAN);
    (values.first().copied().unwrap_or(f64::NAN), middle)
}

fn figures(figures: &Figures) -> Value {
    match figures {
        Figures::Once(value) => json!({"value": value}),
        Figures::Rounds(usages) => {
            let (cpu_min, cpu) = spread(usages, |usage| usage.cpu);
            let (wall_min, wall) = spread(usages, |usage| usage.wall);
            let median = |of: fn(&Usage) -> f64| spread(usages, of).1;
            json!({
                "rounds": usages.len(), "failed": usages.iter().filter(|usage| usage.failed).count(),
                "cpu_min": cpu_min, "cpu": cpu, "wall_min": wall_min, "wall": wall,
                "rss": median(|usage| usage.rss), "faults": median(|usage| usage.faults),
                "switches": median(|usage| usage.switches)})
        }
    }
}

impl Report {
    pub(crate) fn new(contenders: &[Contender], rows: &[Row]) -> Report {
        let kernel = std::fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default();
        let who = contenders.iter().map(|one| json!({"name": one.name, "version": one.version}));
        let rows = rows.iter().map(|row| {
            let outcomes: serde_json::Map<String, Value> = row
                .outcomes
                .iter()
                .map(|it| (it.contender.clone(), figures(&it.figures)))
                .collect();
            let mut row = json!({"name": row.name, "unit": row.unit, "outcomes": outcomes});
            let key = Report::key(&row);
            let ours = contenders.first().and_then(|it| row["outcomes"][&it.name][key].as_f64());
            for outcome in
                row["outcomes"].as_object_mut().into_iter().flat_map(|it| it.values_mut())
            {
                if let (Some(ours), Some(own)) = (ours, outcome[key].as_f64()) {
                    outcome["ours_is"] = json!((ours / own * 1000.0).round() / 1000.0);
                }
            }
            row
        });
        Report(
            json!({"kernel": kernel.trim(), "contenders": who.collect::<Vec<_>>(), "rows": rows.collect::<Vec<_>>()}),
        )
    }

    pub(crate) fn json(&self) -> String {
        format!("{:#}\n", self.0)
    }

    fn list<'a>(value: &'a Value, name: &str) -> impl Iterator<Item = &'a Value> {
        value[name].as_array().into_iter().flatten()
    }

    fn names(&self) -> Vec<&str> {
        Report::list(&self.0, "contenders").filter_map(|one| one["name"].as_str()).collect()
    }

    /// How many rows have a round that failed.
    pub(crate) fn failures(&self) -> usize {
        let failed = |row: &&Value| {
            row["outcomes"]
                .as_object()
                .unwrap()
                .values()
                .any(|it| it["failed"].as_u64().unwrap_or(0) > 0)
        };
        Report::list(&self.0, "rows").filter(failed).count()
    }

    /// One line per scenario and contender; ratios are of minima of CPU time, or of wall time where a
    /// pause came before.
    pub(crate) fn text(&self) -> String {
        let mut text = format!("Linux {}\n", self.0["kernel"].as_str().unwrap_or_default());
        for one in Report::list(&self.0, "contenders") {
            let _ = writeln!(
                text,
                "{:10} {}",
                one["name"].as_str().unwrap(),
                one["version"].as_str().unwrap()
            );
        }
        let heads = ["cpu min", "cpu", "wall min", "wall", "RSS KiB", "faults", "switches"];
        let _ = write!(text, "\n{:28} {:10}", "ms", "");
        for head in heads {
            let _ = write!(text, " {head:>8}");
        }
        text.push_str("  ours is\n");
        for row in Report::list(&self.0, "rows") {
            let key = Report::key(row);
            for (index, name) in self.names().iter().enumerate() {
                let outcome = &row["outcomes"][name];
                let Some(own) = outcome[key].as_f64() else { continue };
                let title = if index == 0 { row["name"].as_str().unwrap() } else { "" };
                let _ = write!(text, "{title:28} {name:10}");
                if key == "value" {
                    let _ = write!(text, " {own:8.1} {:53}", row["unit"].as_str().unwrap());
                } else {
                    for field in ["cpu_min", "cpu", "wall_min", "wall"] {
                        let _ = write!(text, " {:8.2}", outcome[field].as_f64().unwrap());
                    }
                    for field in ["rss", "faults", "switches"] {
                        let _ = write!(text, " {:8.0}", outcome[field].as_f64().unwrap());
                    }
                }
                if let (Some(ratio), true) = (outcome["ours_is"].as_f64(), index > 0) {
                    let _ = write!(text, "  {ratio:.2} of it");
                }
                match outcome["failed"].as_u64() {
                    None | Some(0) => text.push('\n'),
                    Some(failed) => {
                        let _ = writeln!(text, "  {failed} FAILED");
                    }
                }
            }
        }
        text
    }

    /// By what a row is compared.
    fn key(row: &Value) -> &'static str {
        let is_timed = row["unit"] == "ms";
        match row["name"].as_str() {
            Some(name) if name.contains("idle") => "wall",
            _ if is_timed => "cpu_min",
            _ => "value",
        }
    }

    /// Bars, one group for each timed scenario: the longest bar of a group is its slowest contender.
    pub(crate) fn svg(&self) -> String {
        const COLOURS: [&str; 6] =
            ["#d9480f", "#868e96", "#adb5bd", "#ced4da", "#dee2e6", "#e9ecef"];
        let (left, width, bar) = (210.0, 520.0, 15.0);
        let mut body = String::new();
        let mut y = 44.0;
        let timed =
            |row: &&Value| row["unit"] == "ms" && row["outcomes"].as_object().unwrap().len() > 1;
        for row in Report::list(&self.0, "rows").filter(timed) {
            let key = Report::key(row);
            let value = |name: &str| row["outcomes"][name][key].as_f64();
            let most = self.names().iter().filter_map(|name| value(name)).fold(0.0, f64::max);
            let what = if key == "wall" { "wall" } else { "CPU" };
            let name = row["name"].as_str().unwrap();
            let _ = writeln!(
                body,
                "<text x='10' y='{}' font-weight='bold'>{name} ({what})</text>",
                y + 12.0
            );
            for (index, name) in self.names().iter().enumerate() {
                let Some(own) = value(name) else { continue };
                let colour = if *name == "floor" { "#2b8a3e" } else { COLOURS[index.min(5)] };
                let long = (own / most * width).max(1.0);
                let _ = writeln!(
                    body,
                    "<rect x='{left}' y='{y}' width='{long:.1}' height='{}' fill='{colour}'/>",
                    bar - 2.0
                );
                let _ = writeln!(
                    body,
                    "<text x='{:.1}' y='{}'>{name} {own:.2} ms</text>",
                    left + long + 6.0,
                    y + 11.0
                );
                y += bar;
            }
            y += 9.0;
        }
        let kernel = self.0["kernel"].as_str().unwrap_or_default();
        format!(
            "<svg xmlns='http://www.w3.org/2000/svg' width='900' height='{:.0}' font-family='sans-serif' font-size='11'>\n\
             <rect width='100%' height='100%' fill='white'/>\n\
             <text x='10' y='22' font-size='14'>Least CPU time, or median wall time, in one interleaved run; Linux {kernel}</text>\n\
             {body}</svg>\n",
            y + 10.0
        )
    }
}
