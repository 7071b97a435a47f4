"""The settings of production, with uploads on the disk that can be full."""

import os

from tools.bench.settings import *  # noqa: F403

# Named, not left to TMPDIR: Python takes another folder where that one is full.
FILE_UPLOAD_TEMP_DIR = os.environ["FAULTS_UPLOADS"]
