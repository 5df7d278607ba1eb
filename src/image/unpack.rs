//! An image becomes layers in a store: several at a time, each once.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError, mpsc};
use std::thread::Builder;

use super::attributes::Rights;
use super::blob::Blob;
use super::digest::Digest;
use super::layer::{Report, Tree};
use super::progress::{Phase, Progress};
use super::stack::Stack;
use super::store::{Claim, Partial, Store};
use super::stream::{AHEAD, Budget, Consumer, produce};
use super::tar::Reader;
use crate::error::{Context, Error, Result};
use crate::sys::file::{self, FileType};

/// The most layers at a time; each has two threads.
const MAX_WORKERS: usize = 8;

/// What unpacking is done with.
pub(super) struct Work<'a> {
    pub store: &'a Store,
    pub rights: Rights,
    pub budget: Budget,
    pub progress: Progress,
    notes: Mutex<Vec<String>>,
    failure: Mutex<Option<Error>>,
}

/// A layer to unpack.
pub(super) struct Job<'a> {
    pub blob: &'a Blob,
    pub id: &'a Digest,
}

/// Ends the display however the unpacking ends: whoever watches is waited for.
struct End<'a>(&'a Progress);

impl Drop for End<'_> {
    fn drop(&mut self) {
        self.0.end();
    }
}

impl<'a> Work<'a> {
    pub(super) fn new(
        store: &'a Store,
        rights: Rights,
        budget: Budget,
        progress: Progress,
    ) -> Work<'a> {
        Work { store, rights, budget, progress, notes: Mutex::default(), failure: Mutex::default() }
    }

    /// Unpacks all layers that are not there.
    pub(super) fn all(&self, jobs: &[Job<'_>]) -> Result<()> {
        let processors = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
        let workers = processors.min(jobs.len()).clamp(1, MAX_WORKERS);
        let next = AtomicUsize::new(0);
        std::thread::scope(|scope| {
            // Where no more threads can be had it goes without that one, and with fewer workers.
            let _ = Builder::new().spawn_scoped(scope, || self.progress.watch());
            let _end = End(&self.progress);
            let worker = || {
                while let Some(job) = jobs.get(next.fetch_add(1, Ordering::Relaxed))
                    && !self.budget.is_stopped()
                {
                    let at = jobs.iter().position(|it| std::ptr::eq(it, job)).unwrap_or(0);
                    if let Err(error) = self.one(at, job) {
                        self.fail(error.wrap(format!("unpack layer {}", job.id.short())));
                    }
                }
            };
            let others: Vec<_> = (1..workers)
                .filter_map(|_| Builder::new().spawn_scoped(scope, worker).ok())
                .collect();
            worker();
            for other in others {
                if other.join().is_err() {
                    self.fail(Error::internal("a thread that unpacks panicked"));
                }
            }
        });
        let failure = self.failure.lock().unwrap_or_else(PoisonError::into_inner).take();
        failure.map_or(Ok(()), Err)
    }

    /// The first failure counts: those after it may be its consequences.
    fn fail(&self, error: Error) {
        let mut failure = self.failure.lock().unwrap_or_else(PoisonError::into_inner);
        failure.get_or_insert(error);
        self.budget.stop();
    }

    /// Sentences about what was left out.
    pub(super) fn notes(&self) -> Vec<String> {
        std::mem::take(&mut *self.notes.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn one(&self, at: usize, job: &Job<'_>) -> Result<()> {
        let waiting = || self.progress.enter(at, Phase::Waiting);
        match self.store.claim(job.id, "", &waiting)? {
            Claim::Ready => self.progress.enter(at, Phase::Found),
            Claim::Ours(partial) => {
                self.progress.enter(at, Phase::Unpacking);
                let report = self.unpack(at, job, &partial, None)?;
                partial.commit(job.id, "", &report.implied)?;
                self.progress.enter(at, Phase::Unpacked);
            }
        }
        Ok(())
    }

    /// Unpacks one layer: this thread writes, another one reads.
    fn unpack(
        &self,
        at: usize,
        job: &Job<'_>,
        partial: &Partial,
        below: Option<&Stack>,
    ) -> Result<Report> {
        let mut tree = Tree::new(partial.directory()?, self.rights, below)?;
        let (pieces, full) = mpsc::sync_channel(AHEAD);
        let (used, empty) = mpsc::channel();
        let done = &self.progress.rows[at].done;
        std::thread::scope(|scope| {
            let reader = move || produce((job.blob, job.id), &self.budget, done, (pieces, empty));
            Builder::new()
                .spawn_scoped(scope, reader)
                .map_err(|error| Error::io("clone", "a thread that reads the layer", &error))?;
            let mut reader = Reader::new(Consumer::new(full, used));
            while let Some(entry) = reader.next()? {
                self.budget.take_entries(1)?;
                tree.add(&entry, &mut reader)
                    .context(|| format!("`{}`", super::name::show(&entry.name)))?;
                // One name may take very many directories for granted.
                self.budget.take_entries(tree.implied())?;
            }
            // The digests are known to be right only at the very end.
            reader.drain()
        })?;
        let report = tree.finish()?;
        let mut notes = self.notes.lock().unwrap_or_else(PoisonError::into_inner);
        notes.extend(report.notes.iter().map(|note| format!("layer {}: {note}", job.id.short())));
        Ok(report)
    }

    /// Where the layers of an image are, lowest first. A layer may take directories for granted that
    /// the layers below have as a symlink, or with other attributes; by itself it would hide those,
    /// so the bundle `own` gets one that was unpacked knowing them.
    pub(super) fn settle(&self, own: &Store, jobs: &[Job<'_>]) -> Result<Vec<PathBuf>> {
        let mut paths: Vec<PathBuf> = Vec::with_capacity(jobs.len());
        for (at, job) in jobs.iter().enumerate() {
            let implied = self.store.implied(job.id)?;
            let mut path = self.store.place(job.id, "");
            if !implied.is_empty() && !paths.is_empty() {
                let below = Stack::open(&paths)?;
                if self.is_hidden_by(&below, &implied)? {
                    path = self
                        .adjusted(own, at, jobs, &below)
                        .context(|| format!("unpack layer {} over others", job.id.short()))?;
                }
            }
            paths.push(path);
        }
        Ok(paths)
    }

    /// Such a layer, and where it is: under a name that tells what is below, for another image in the
    /// same bundle may have it over others.
    fn adjusted(&self, own: &Store, at: usize, jobs: &[Job<'_>], below: &Stack) -> Result<PathBuf> {
        let job = &jobs[at];
        let mut hasher = job.id.hasher();
        jobs[..at].iter().for_each(|it| hasher.update(it.id.to_string().as_bytes()));
        let suffix = format!("-{}", &hasher.finish().hex()[..32]);
        if let Claim::Ours(partial) = own.claim(job.id, &suffix, &|| {})? {
            self.unpack(at, job, &partial, Some(below))?;
            partial.commit(job.id, &suffix, &[])?;
        }
        Ok(own.place(job.id, &suffix))
    }

    /// Whether a plain directory in place of these would show.
    fn is_hidden_by(&self, below: &Stack, implied: &[PathBuf]) -> Result<bool> {
        let taken_for_granted: BTreeSet<_> = implied.iter().map(PathBuf::as_path).collect();
        let mut seen = BTreeSet::new();
        for path in implied {
            // Below a symlink nothing is found, so the symlink itself is looked for. Above one that was
            // seen everything was.
            let ancestors = path.ancestors().filter(|it| !it.as_os_str().is_empty());
            for path in ancestors.take_while(|it| seen.insert(*it)) {
                let Some(found) = below.entry(path)? else { continue };
                let stat = &found.stat;
                let plain = (stat.st_mode & 0o7777, stat.st_uid, stat.st_gid)
                    == (0o755, self.rights.own.0, self.rights.own.1);
                let differs = match file::file_type(stat) {
                    FileType::Symlink => true,
                    FileType::Directory => !plain && taken_for_granted.contains(path),
                    _ => false,
                };
                if differs {
                    return Ok(true);
                }
            }
        }
        Ok(false)
    }
}
