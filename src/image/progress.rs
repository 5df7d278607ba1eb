//! How far the unpacking is: on a terminal a line a layer and one for all, redrawn; elsewhere one line
//! when a layer is there.

use std::fmt::Write as _;
use std::io::Write;
use std::sync::atomic::{AtomicBool, AtomicU8, AtomicU64, Ordering};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use super::digest::Digest;

/// How often a terminal is redrawn.
const INTERVAL: Duration = Duration::from_millis(100);

/// How many layers are shown on a terminal at a time; those that are done make room.
const ROWS: usize = 12;

/// Where a layer is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub(super) enum Phase {
    Queued,
    Waiting,
    Unpacking,
    Unpacked,
    Found,
}

const PHASES: [Phase; 5] =
    [Phase::Queued, Phase::Waiting, Phase::Unpacking, Phase::Unpacked, Phase::Found];

impl Phase {
    fn text(self) -> &'static str {
        match self {
            Phase::Queued => "queued",
            Phase::Waiting => "waiting for another rrun",
            Phase::Unpacking => "unpacking",
            Phase::Unpacked => "unpacked",
            Phase::Found => "there already",
        }
    }

    fn is_done(self) -> bool {
        matches!(self, Phase::Unpacked | Phase::Found)
    }
}

/// Where progress is shown.
pub struct Display {
    /// Where lines go.
    pub out: Box<dyn Write + Send>,
    /// Whether that is a terminal, on which lines can be drawn anew.
    pub terminal: bool,
}

/// One layer.
pub(super) struct Row {
    name: String,
    total: u64,
    /// Bytes of its blob that were read.
    pub done: AtomicU64,
    phase: AtomicU8,
}

/// All layers.
pub(super) struct Progress {
    pub rows: Vec<Row>,
    display: Option<Mutex<Display>>,
    drawn: Mutex<usize>,
    over: AtomicBool,
    wake: (Mutex<()>, Condvar),
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Progress {
    /// For layers with the sizes of their blobs.
    pub(super) fn new(layers: &[(&Digest, u64)], display: Option<Display>) -> Progress {
        let row = |(id, total): &(&Digest, u64)| Row {
            name: id.short().to_owned(),
            total: *total,
            done: AtomicU64::new(0),
            phase: AtomicU8::new(Phase::Queued as u8),
        };
        Progress {
            rows: layers.iter().map(row).collect(),
            display: display.map(Mutex::new),
            drawn: Mutex::new(0),
            over: AtomicBool::new(false),
            wake: (Mutex::new(()), Condvar::new()),
        }
    }

    fn phase(&self, at: usize) -> Phase {
        PHASES[usize::from(self.rows[at].phase.load(Ordering::Relaxed))]
    }

    /// A layer has come to another phase.
    pub(super) fn enter(&self, at: usize, phase: Phase) {
        self.rows[at].phase.store(phase as u8, Ordering::Relaxed);
        let Some(display) = &self.display else { return };
        let mut display = locked(display);
        if !display.terminal && (phase.is_done() || phase == Phase::Waiting) {
            let row = &self.rows[at];
            let (number, count, name) = (at + 1, self.rows.len(), &row.name);
            let line = format!(
                "layer {number}/{count} {name}: {} ({})\n",
                phase.text(),
                amount(row.total)
            );
            // Nobody has to watch.
            let _ = display.out.write_all(line.as_bytes());
        }
    }

    /// Draws until [`Progress::end`]. For a thread of its own.
    pub(super) fn watch(&self) {
        let is_terminal = self.display.as_ref().is_some_and(|it| locked(it).terminal);
        if !is_terminal {
            return;
        }
        let mut guard = locked(&self.wake.0);
        while !self.over.load(Ordering::Relaxed) {
            self.draw(false);
            let waited = self.wake.1.wait_timeout(guard, INTERVAL);
            guard = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
        self.draw(true);
    }

    /// The unpacking is over.
    pub(super) fn end(&self) {
        let _guard = locked(&self.wake.0);
        self.over.store(true, Ordering::Relaxed);
        self.wake.1.notify_all();
    }

    /// Writes all lines over those that were written last; in the end only the total stays.
    fn draw(&self, last: bool) {
        let Some(display) = &self.display else { return };
        let mut drawn = locked(&self.drawn);
        let mut text = String::new();
        if *drawn > 0 {
            let _ = write!(text, "\x1b[{}A", *drawn);
        }
        // Without wrapping: a line that is too long is cut, or it would count as two.
        text.push_str("\r\x1b[J\x1b[?7l");
        *drawn = 0;
        let active = (0..self.rows.len()).filter(|at| !last && !self.phase(*at).is_done());
        for at in active.take(ROWS) {
            text.push_str(&self.line(at));
            *drawn += 1;
        }
        text.push_str(&self.sum());
        text.push_str("\x1b[?7h");
        *drawn += 1;
        let mut display = locked(display);
        let _ = display.out.write_all(text.as_bytes()).and_then(|()| display.out.flush());
    }

    fn line(&self, at: usize) -> String {
        let row = &self.rows[at];
        let done = row.done.load(Ordering::Relaxed);
        let phase = self.phase(at);
        let amounts = match phase {
            Phase::Unpacking => format!("{} of {}", amount(done), amount(row.total)),
            _ => phase.text().to_owned(),
        };
        format!("{} {} {amounts}\n", row.name, bar(done, row.total))
    }

    fn sum(&self) -> String {
        let count = self.rows.len();
        let done = (0..count).filter(|at| self.phase(*at).is_done());
        let layers = done.clone().count();
        let found = done.filter(|at| self.phase(*at) == Phase::Found).count();
        let total: u64 = self.rows.iter().map(|row| row.total).sum();
        let bytes = |at: usize| match self.phase(at) {
            phase if phase.is_done() => self.rows[at].total,
            _ => self.rows[at].done.load(Ordering::Relaxed),
        };
        let read: u64 = (0..count).map(bytes).sum();
        let mut text = format!("{:<12} {} {layers} of {count} layers", "total", bar(read, total));
        if found > 0 {
            let _ = write!(text, ", {found} there already");
        }
        let _ = writeln!(text, ", {} of {}", amount(read), amount(total));
        text
    }
}

fn bar(done: u64, total: u64) -> String {
    const WIDTH: u64 = 24;
    let filled = (done.min(total) * WIDTH).checked_div(total).unwrap_or(WIDTH) as usize;
    format!("[{}{}]", "#".repeat(filled), "-".repeat(WIDTH as usize - filled))
}

/// Bytes for people.
fn amount(bytes: u64) -> String {
    let mut value = bytes as f64;
    let mut units = ["bytes", "KiB", "MiB", "GiB"].iter().peekable();
    while let Some(unit) = units.next() {
        if value < 1024.0 || units.peek().is_none() {
            return match *unit {
                "bytes" => format!("{bytes} bytes"),
                unit => format!("{value:.1} {unit}"),
            };
        }
        value /= 1024.0;
    }
    format!("{bytes} bytes")
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Arc;

    #[derive(Clone, Default)]
    struct Screen(Arc<Mutex<Vec<u8>>>);

    impl Write for Screen {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            self.0.lock().unwrap().extend_from_slice(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }

    fn progress(terminal: bool) -> (Progress, Screen) {
        let screen = Screen::default();
        let id = Digest::parse(&format!("sha256:{}", "ab".repeat(32))).unwrap();
        let display = Display { out: Box::new(screen.clone()), terminal };
        (Progress::new(&[(&id, 1536), (&id, 0)], Some(display)), screen)
    }

    fn shown(screen: &Screen) -> String {
        String::from_utf8(screen.0.lock().unwrap().clone()).unwrap()
    }

    #[test]
    fn plain_lines_elsewhere() {
        let (progress, screen) = progress(false);
        progress.enter(0, Phase::Unpacking);
        progress.enter(0, Phase::Unpacked);
        progress.enter(1, Phase::Found);
        progress.watch();
        assert_eq!(
            shown(&screen),
            "layer 1/2 abababababab: unpacked (1.5 KiB)\n\
             layer 2/2 abababababab: there already (0 bytes)\n"
        );
    }

    #[test]
    fn a_terminal_is_drawn_anew() {
        let (progress, screen) = progress(true);
        progress.enter(0, Phase::Unpacking);
        progress.rows[0].done.store(768, Ordering::Relaxed);
        progress.draw(false);
        let text = shown(&screen);
        assert!(text.contains("[############------------] 768 bytes of 1.5 KiB\n"), "{text}");
        assert!(text.contains("0 of 2 layers, 768 bytes of 1.5 KiB\n"), "{text}");
        progress.enter(0, Phase::Unpacked);
        progress.enter(1, Phase::Found);
        progress.end();
        progress.watch();
        let text = shown(&screen);
        assert!(text.contains("\x1b[3A\r\x1b[J"), "{text}");
        let last = "2 of 2 layers, 1 there already, 1.5 KiB of 1.5 KiB\n\x1b[?7h";
        assert!(text.ends_with(last), "{text}");
    }
}
