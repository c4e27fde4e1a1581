//! Answers that an event has made old: the next question about the thing goes to AWS.

use super::super::account::Account;

impl Account {
    /// Forgets what was read of the images of a repository.
    pub fn forget_images(&self, repository: &str) {
        let recent = &self.inner.surroundings.image_answers;
        recent.forget(|question| question.repository == repository);
    }

    /// Forgets what was read of a parameter.
    pub fn forget_parameter(&self, name: &str) {
        let bare = name.trim_start_matches('/');
        let recent = &self.inner.surroundings.parameters.answers;
        recent.forget(|known| known.trim_start_matches('/') == bare);
    }

    /// Forgets what was read of secrets, chosen by the name or ARN under which they were asked for.
    pub fn forget_secrets(&self, is_one: impl Fn(&str) -> bool) {
        self.inner.surroundings.secrets.forget(|known| is_one(known));
        self.inner.surroundings.watched_secrets.forget(|known| is_one(known));
    }

    /// Forgets what was read of an alarm.
    pub fn forget_alarm(&self, name: &str) {
        self.inner.surroundings.alarms.answers.forget(|known| known == name);
    }

    /// Forgets what was read of the scaling of `service/<cluster>/<name>`.
    pub fn forget_scaling(&self, resource: &str) {
        self.inner.scaling.forget(resource);
    }
}
