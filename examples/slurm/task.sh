#!/bin/sh
#SBATCH --cpus-per-task=1
#SBATCH --mem=1G
exec dativo-native task -q "$1" --threads "${SLURM_CPUS_PER_TASK:-1}" --index "$SLURM_ARRAY_TASK_ID"
