"""Who may visit: courses, the cohorts that go through them, and what comes of it."""

from .certificate_import import CertificateImport, CertificateLine
from .certification import Certification, CertificationReminder, code_in_groups, new_code
from .cohort import Cohort, CohortTrainer, Trainer, TrainingSession
from .course import Course, CourseRequirement, Grant, TrainingFact
from .door import DoorSignIn
from .feedback import Feedback, FeedbackRequest, Wave
from .member import Attendance, CohortMember

__all__ = [
    "Attendance",
    "CertificateImport",
    "CertificateLine",
    "Certification",
    "CertificationReminder",
    "Cohort",
    "CohortMember",
    "CohortTrainer",
    "Course",
    "CourseRequirement",
    "DoorSignIn",
    "Feedback",
    "FeedbackRequest",
    "Grant",
    "Trainer",
    "TrainingFact",
    "TrainingSession",
    "Wave",
    "code_in_groups",
    "new_code",
]
