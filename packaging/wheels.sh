#!/bin/sh
# Fill a folder with breastseg and all that it needs, for machines without a network.
#
#   wheels.sh FOLDER
#
# Run it in the project, with the Python and on the kind of system that the wheels are for.
set -eu

folder=${1:?usage: wheels.sh FOLDER}
python=${PYTHON:-python3}

mkdir -p "$folder"
rm -f "$folder"/breastseg-*.whl  # of another version: which is meant would be left to pip
"$python" -m pip wheel --quiet --no-deps --wheel-dir "$folder" .
"$python" -m pip wheel --quiet --wheel-dir "$folder" --constraint requirements/dev.txt "$(echo "$folder"/breastseg-*.whl)[dicom]"
