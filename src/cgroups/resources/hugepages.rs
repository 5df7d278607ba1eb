//! Pure: `linux.resources.hugepageLimits`.

use super::{RESOURCES, Step, Steps};
use crate::cgroups::plan::Place;
use crate::error::{Error, Result};
use crate::spec;

impl Steps {
    /// Limits what is used, and what is reserved by mmap(2) where the kernel counts that (5.7): only
    /// then is the failure an error of mmap instead of a SIGBUS later.
    pub(super) fn hugepages(
        &mut self,
        limits: &[spec::HugepageLimit],
        places: &[Place],
    ) -> Result<()> {
        for (index, page) in limits.iter().enumerate() {
            let size = &page.page_size;
            if !is_page_size(size) {
                let pointer = format!("{RESOURCES}/hugepageLimits/{index}/pageSize");
                let text = format!("`{}` is no size like 2MB or 1GB", size.escape_default());
                return Err(Error::config(pointer, text));
            }
            let target = self.target("hugetlb", places, &format!("hugepageLimits/{index}"))?;
            let file = if target.unified { "max" } else { "limit_in_bytes" };
            let reserved = format!("hugetlb.{size}.rsvd.{file}");
            self.limits.push(Step::Write(target.optional(&reserved, &page.limit)));
            self.limits.push(target.write(&format!("hugetlb.{size}.{file}"), &page.limit));
        }
        Ok(())
    }
}

/// A number without leading zeros, and KB, MB or GB: it becomes part of a file's name.
fn is_page_size(text: &str) -> bool {
    let digits = ["KB", "MB", "GB"].iter().find_map(|unit| text.strip_suffix(unit));
    digits.is_some_and(|digits| {
        !digits.is_empty() && !digits.starts_with('0') && digits.bytes().all(|b| b.is_ascii_digit())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn page_sizes() {
        for good in ["2MB", "1GB", "64KB", "512MB"] {
            assert!(is_page_size(good), "{good}");
        }
        for bad in ["", "MB", "02MB", "2M", "2mb", "2TB", "../2MB", "2 MB", "-2MB"] {
            assert!(!is_page_size(bad), "{bad}");
        }
    }
}
