#!/bin/sh
# First process in a host's fresh namespaces: builds the host's root file system on its bounded
# disk, then becomes the host's init. All mounts stay in this mount namespace, so they (and the
# loop device) vanish with the host's last process.
set -eu
mount --make-rprivate /
mount -o loop "$DISK" "$MOUNT_POINT"
cd "$MOUNT_POINT"
mkdir -p upper work root docker containerd
mount -t overlay overlay -o "lowerdir=$LOWER,upperdir=$MOUNT_POINT/upper,workdir=$MOUNT_POINT/work" root
cd root
mount -t proc proc proc
mount -t sysfs sysfs sys
mount --rbind /sys/fs/cgroup sys/fs/cgroup
mount -t devtmpfs devtmpfs dev
mount -t devpts -o newinstance,gid=5,mode=0620,ptmxmode=0666 devpts dev/pts
mount -t tmpfs -o mode=1777 shm dev/shm
mkdir -p srv/shared var/lib/docker var/lib/containerd
mount --bind "$RUN_DIR" run
mount --bind "$MOUNT_POINT/docker" var/lib/docker
mount --bind "$MOUNT_POINT/containerd" var/lib/containerd
# The bind stands in for NFS: one directory seen by every host (the kernel has no NFS client).
mount --bind "$SHARED_DIR" srv/shared
printf '%s\n' "$HOST_NAME" > etc/hostname
printf '127.0.0.1 localhost\n127.0.1.1 %s\n' "$HOST_NAME" > etc/hosts
hostname "$HOST_NAME"
pivot_root . mnt
cd /
umount -l /mnt
exec /usr/bin/tini -- /usr/bin/sleep infinity
