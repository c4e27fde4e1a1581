//! The releases, each with the repositories that it follows: what is pushed there lets them be looked at.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crds::ReleaseName;
use tokio::sync::Notify;

use super::event::Place;

/// The releases that run. Clones share them.
#[derive(Debug, Clone, Default)]
pub struct Followers(Arc<Shared>);

#[derive(Debug, Default)]
struct Shared {
    state: Mutex<State>,
    bell: Notify,
}

#[derive(Debug, Default)]
struct State {
    followed: BTreeMap<ReleaseName, Followed>,
    woken: Woken,
    /// Those whose repository's pushes AWS's events have told of.
    heard: BTreeSet<ReleaseName>,
}

/// Releases to be looked at.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct Woken {
    /// Something was pushed or tagged.
    pub pushed: BTreeSet<ReleaseName>,
    /// Their services stand otherwise.
    pub served: BTreeSet<ReleaseName>,
}

/// What a release follows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Followed {
    /// Where its images are pushed, and the repository's name; `None` for a repository that is not in ECR.
    pub images: Option<(Place, String)>,
    /// The address of the Git repository whose tags it follows.
    pub git: Option<String>,
}

impl Followers {
    /// Says what each release follows; others are not known any more.
    pub fn put(&self, followed: BTreeMap<ReleaseName, Followed>) {
        let mut state = self.lock();
        let State { woken: Woken { pushed, served }, heard, .. } = &mut *state;
        for names in [pushed, served, heard] {
            names.retain(|name| followed.contains_key(name));
        }
        state.followed = followed;
    }

    /// Lets the releases be looked at whose images lie in a repository; whether there are any.
    pub fn wake_for_images(&self, place: &Place, repository: &str) -> bool {
        let woken = self.wake(|followed| {
            followed.images.as_ref().is_some_and(|(at, name)| at == place && name == repository)
        });
        let is_any = !woken.is_empty();
        self.lock().heard.extend(woken);
        is_any
    }

    /// Whether pushes to the repository of a release are heard of: one was, and the queue of events has been readable since.
    pub fn hears_of(&self, name: &ReleaseName) -> bool {
        self.lock().heard.contains(name)
    }

    /// Says that events cannot be heard: whatever was heard of has to be heard of anew.
    pub fn deafen(&self) {
        self.lock().heard.clear();
    }

    /// Lets releases be looked at whose services stand otherwise.
    pub fn wake_for_services(&self, names: BTreeSet<ReleaseName>) {
        let mut state = self.lock();
        let State { followed, woken, .. } = &mut *state;
        woken.served.extend(names.into_iter().filter(|name| followed.contains_key(name)));
        drop(state);
        self.0.bell.notify_one();
    }

    /// Lets the releases be looked at that follow the tags of a Git repository; whether there are any. The repository is
    /// named by its address or by the end of it, `acme/shop`: hosts and ways to reach them have more than one name.
    pub fn wake_for_tags(&self, repository: &str) -> bool {
        let end = plain(repository);
        let is_it = |address: &str| ends_in(address, &end);
        !self.wake(|followed| followed.git.as_deref().is_some_and(is_it)).is_empty()
    }

    /// Waits until releases were woken, and takes them. One waits at a time; wakes while nobody does are kept.
    pub async fn woken(&self) -> Woken {
        loop {
            let woken = std::mem::take(&mut self.lock().woken);
            if woken != Woken::default() {
                return woken;
            }
            self.0.bell.notified().await;
        }
    }

    fn wake(&self, is_concerned: impl Fn(&Followed) -> bool) -> BTreeSet<ReleaseName> {
        let mut state = self.lock();
        let State { followed, woken, .. } = &mut *state;
        let concerned = followed.iter().filter(|(_, followed)| is_concerned(followed));
        let concerned: BTreeSet<ReleaseName> = concerned.map(|(name, _)| name.clone()).collect();
        woken.pushed.extend(concerned.iter().cloned());
        drop(state);
        if !concerned.is_empty() {
            self.0.bell.notify_one();
        }
        concerned
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// An address without what tells nothing: letter case, `/` at its ends, `.git`.
fn plain(address: &str) -> String {
    let address = address.trim_matches('/').to_ascii_lowercase();
    address.strip_suffix(".git").unwrap_or(&address).to_owned()
}

/// Whether an address is this one or ends in this path. `end` is plain.
fn ends_in(address: &str, end: &str) -> bool {
    let address = plain(address);
    let rest = address.strip_suffix(end).filter(|_| !end.is_empty());
    rest.is_some_and(|rest| rest.is_empty() || rest.ends_with(['/', ':']))
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt as _;

    use super::*;

    fn place(region: &str) -> Place {
        Place { account: "111122223333".to_owned(), region: region.to_owned() }
    }

    fn followers(git: &str) -> Followers {
        let followers = Followers::default();
        let images = Some((place("eu-west-1"), "shop/web".to_owned()));
        let both = Followed { images, git: Some(git.to_owned()) };
        let neither = Followed { images: None, git: None };
        let name = |name: &str| name.parse().unwrap();
        followers.put([(name("shop"), both), (name("other"), neither)].into());
        followers
    }

    fn woken(followers: &Followers) -> Vec<String> {
        let woken = followers.woken().now_or_never().unwrap_or_default();
        woken.pushed.into_iter().chain(woken.served).map(|name| name.to_string()).collect()
    }

    #[tokio::test]
    async fn many_wakes_are_one_and_those_of_nobody_are_none() {
        let followers = followers("https://github.com/acme/shop.git");
        for _ in 0..1000 {
            assert!(followers.wake_for_images(&place("eu-west-1"), "shop/web"));
            assert!(followers.wake_for_tags("acme/shop"));
        }
        assert_eq!(woken(&followers), ["shop"]);
        assert_eq!(woken(&followers), [""; 0]);
        assert!(!followers.wake_for_images(&place("eu-west-1"), "shop/api"));
        assert!(!followers.wake_for_images(&place("us-east-1"), "shop/web"));
        assert!(!followers.wake_for_tags("acme/other"));
        assert_eq!(woken(&followers), [""; 0]);
        assert!(followers.wake_for_tags("acme/shop"));
        followers.put(BTreeMap::new());
        assert_eq!(woken(&followers), [""; 0], "it is gone");
    }

    #[tokio::test]
    async fn services_wake_their_releases_and_only_a_push_says_that_pushes_are_heard_of() {
        let (followers, shop) = (followers("acme/shop"), "shop".parse().unwrap());
        followers.wake_for_services(["shop", "gone"].map(|name| name.parse().unwrap()).into());
        assert_eq!(woken(&followers), ["shop"]);
        assert!(followers.wake_for_tags("acme/shop"));
        assert!(!followers.hears_of(&shop));
        followers.wake_for_images(&place("eu-west-1"), "shop/web");
        assert!(followers.hears_of(&shop));
        followers.deafen();
        assert!(!followers.hears_of(&shop));
        followers.wake_for_images(&place("eu-west-1"), "shop/web");
        followers.put(BTreeMap::new());
        assert!(!followers.hears_of(&shop));
    }

    #[test]
    fn a_repository_is_known_by_the_end_of_its_address() {
        for (address, told, is_it) in [
            ("https://github.com/acme/shop.git", "acme/shop", true),
            ("https://github.com/Acme/Shop", "acme/shop", true),
            ("git@github.com:acme/shop.git", "acme/shop", true),
            ("ssh://git@git.acme.io:7999/acme/shop.git", "ACME/shop", true),
            ("https://git.acme.io/platform/team/shop/", "platform/team/shop", true),
            ("https://git.acme.io/shop.git", "https://git.acme.io/shop", true),
            ("/srv/git/shop.git", "/srv/git/shop.git", true),
            ("file:///srv/git/shop", "srv/git/shop", true),
            ("https://github.com/acme/shop.git", "cme/shop", false),
            ("https://github.com/acme/shop.git", "acme/sho", false),
            ("https://github.com/acme/shop.git", "acme/shop/web", false),
            ("https://github.com/acme/shop-api.git", "acme/shop", false),
            ("https://github.com/acme/shop.git", "", false),
            ("https://github.com/acme/shop.git", "/", false),
            ("", "acme/shop", false),
        ] {
            assert_eq!(ends_in(address, &plain(told)), is_it, "{address} {told}");
        }
    }
}
